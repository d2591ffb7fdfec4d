r"""Text from outside as a terminal, Markdown and HTML may show it: what would act, reorder or hide stands as an escape.

A name can hold codes that move the cursor, colour or answer for the terminal, marks that turn round what stands beside
them (https://trojansource.codes/), and characters that are not seen at all. Each is shown as Python writes it: `\x1b`,
`\u202e`. Whoever prints what another program, file or server said calls `visible`; `cli/guard.py` does so again for
whatever reaches a stream, where the sequences that we colour with ourselves are the only ones that pass.
"""

from __future__ import annotations

import functools
import unicodedata
from importlib import resources

__all__ = ["visible", "visible_line"]

_EMOJI_SELECTOR = "\ufe0f"


def visible(text: str) -> str:
    """Return the text with an escape for each character that acts, reorders or is not seen; tabs and line ends stay.

    Escaping twice gives the same as escaping once.

    >>> print(visible("a\\u202eb \\x1b[31mred"))
    a\\u202eb \\x1b[31mred
    """
    return _shown(text, kept="\t\n")


def visible_line(text: str) -> str:
    """Return the text on one line: tabs and ends of lines are escapes as well."""
    return _shown(text, kept="")


def _shown(text: str, kept: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    hidden = {ord(sign): _escape(sign) for sign in set(text) if sign not in kept and _is_hidden(sign)}
    if ord(_EMOJI_SELECTOR) not in hidden:
        return text.translate(hidden) if hidden else text
    return "".join(
        sign if sign == _EMOJI_SELECTOR and _is_symbol(before) else hidden.get(ord(sign), sign)
        for before, sign in zip(f" {text}", text, strict=False)
    )


def _is_hidden(sign: str) -> bool:
    """Whether a character acts, is for private use, has no meaning yet (category C), ends a line or is not seen."""
    return sign in _unseen() or not (sign.isprintable() or unicodedata.category(sign) == "Zs")


def _is_symbol(sign: str) -> bool:
    """Whether a character is one that may be drawn as an emoji, which the selector behind it asks for."""
    return not sign.isascii() and unicodedata.category(sign) in ("So", "Sm") and not _is_hidden(sign)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")


@functools.cache
def _unseen() -> frozenset[str]:
    """Return the characters of `unseen_characters.txt`."""
    text = resources.files("torchdoctor.core").joinpath("unseen_characters.txt").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return frozenset(chr(point) for first, last in rows for point in range(int(first, 16), int(last, 16) + 1))
