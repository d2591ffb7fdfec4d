"""Patterns whose every repetition has an end, so that a text is searched in time that grows with its length alone.

`x.*y` looks from each x to the end of the line for a y: in a line of x without one that is the square of its length.
With an end the look is no longer than that. The standard library alone, since the build hook runs this module.
"""

from __future__ import annotations

import re

__all__ = ["LONGEST_REPETITION", "bounded"]

# Longer than what stands between two words of one sentence, or than a path in an error.
LONGEST_REPETITION = 200
# The rest of a word, a number, blanks.
_LONGEST_OF = {r"\w": 40, r"\d": 20, r"\s": 40}
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d{1,5},\}|\(\?[^)]|.", re.DOTALL)


def bounded(pattern: str) -> str:
    r"""Return the pattern with `{0,200}` for `*`, `{1,200}` for `+`, `{3,200}` for `{3,}`; less for words and numbers.

    >>> bounded(r"a+\+[+*]\w*? c{2,}")
    'a{1,200}\\+[+*]\\w{0,40}? c{2,200}'
    """
    parts: list[str] = []
    for piece in _PIECE.findall(pattern):
        most = _LONGEST_OF.get(parts[-1], LONGEST_REPETITION) if parts else LONGEST_REPETITION
        if piece in ("*", "+"):
            # A second one makes a repetition possessive from Python 3.11 on, which no pattern of data uses.
            parts.append(f"{{{0 if piece == '*' else 1},{most}}}")
        elif piece.startswith("{") and piece.endswith(",}"):
            parts.append(f"{piece[:-1]}{max(most, int(piece[1:-2]))}}}")
        else:
            parts.append(piece)
    return "".join(parts)
