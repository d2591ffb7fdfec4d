r"""Text from outside as a terminal, Markdown and HTML may show it: what would act, reorder or hide stands as an escape.

A name can hold codes that move the cursor, colour or answer for the terminal, marks that turn round what stands beside
them (https://trojansource.codes/), and characters that are not seen at all. Each is shown as Python writes it: `\x1b`,
`\u202e`. Whoever prints what another program, file or server said calls `visible`; `cli/guard.py` does so again for
whatever reaches a stream, where the sequences that we colour with ourselves are the only ones that pass.
"""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "visible", "visible_line"]

# Categories Cc (but tab and line feed), Cf, Cs, Zl and Zp of Unicode, private use, what has no glyph though it counts
# as a letter, and variation selectors beyond the sixteen that emojis use.
HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
_HIDDEN = re.compile(f"[{HIDDEN}]")
_HIDDEN_OR_BREAK = re.compile(f"[\t\n{HIDDEN}]")


def visible(text: str) -> str:
    """Return the text with an escape for each character that acts, reorders or is not seen; tabs and line ends stay.

    Escaping twice gives the same as escaping once.

    >>> print(visible("a\\u202eb \\x1b[31mred"))
    a\\u202eb \\x1b[31mred
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_escape, text)


def visible_line(text: str) -> str:
    """Return the text on one line: tabs and ends of lines are escapes as well."""
    if text.isprintable() and text.isascii():
        return text
    return _HIDDEN_OR_BREAK.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
