"""Long lines on a terminal: broken at words, the rest below the first."""

from __future__ import annotations

import re
import shutil
import unicodedata
from typing import IO, Any

__all__ = ["cell_width", "columns_of", "hanging", "padded"]

# With less room than this for the text, a deep indent helps nobody.
_LEAST = 24
# What may not be divided: a word, or a Chinese sign with the punctuation that must not begin a line; then spaces.
_PIECE = re.compile(r"((?:[\u1100-\uffef][\u3001\u3002\uff01-\uff1f]*|[^\s\u1100-\uffef]+))(\s*)")


def columns_of(stream: IO[Any]) -> int | None:
    """The width of the terminal that `stream` writes to; None for a file or a pipe, whose lines stay whole."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def hanging(text: str, indent: int, columns: int | None) -> str:
    """`text`, which begins at column `indent`, for a terminal of `columns`; as it is where there is none.

    A Chinese sign takes two columns. A word longer than a line, such as a path, is left whole for the terminal to
    break, so that it can be copied.
    """
    if columns is None or len(text) * 2 + indent <= columns:
        return text
    from rich.cells import cell_len

    below = indent if columns - indent >= _LEAST else 2
    lines, at = [""], indent
    for piece, space in _PIECE.findall(text):
        if lines[-1] and at + cell_len(piece) > columns:
            lines.append("")
            at = below
        lines[-1] += piece + space
        at += cell_len(piece + space)
    return f"\n{'':{below}}".join(line.rstrip() for line in lines)


def padded(text: str, columns: int) -> str:
    """The text filled with spaces to so many columns of a terminal, where a Chinese sign takes two."""
    return text + " " * (columns - cell_width(text))


def cell_width(text: str) -> int:
    """The columns that the text takes on a terminal: two for a Chinese sign."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
