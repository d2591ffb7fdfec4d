"""Long lines on a terminal: broken at words, the rest indented below the first."""

from __future__ import annotations

import re
import shutil
from typing import IO, Any

__all__ = ["cell_width", "columns_of", "hanging", "padded"]

# With fewer columns left for the text, the indent is given up.
_MIN_TEXT_COLUMNS = 24
# What is never split: a word, or a Chinese character with the punctuation that must not begin a line; then spaces.
_PIECE = r"((?:[\u1100-\uffef][\u3001\u3002\uff01-\uff1f]*|[^\s\u1100-\uffef]+))(\s*)"


def columns_of(stream: IO[Any]) -> int | None:
    """Return the width of the terminal that `stream` writes to; None for a file or a pipe, whose lines stay whole."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def hanging(text: str, indent: int, columns: int | None) -> str:
    """Return `text`, which begins at column `indent`, wrapped for a terminal of `columns`; unchanged for None.

    A Chinese character takes two columns. A word longer than a line, such as a path, is left for the terminal to
    break, so that it can be copied.
    """
    if columns is None or len(text) * 2 + indent <= columns:
        return text
    from rich.cells import cell_len

    below = indent if columns - indent >= _MIN_TEXT_COLUMNS else 2
    lines, column = [""], indent
    for piece, space in re.findall(_PIECE, text):
        if lines[-1] and column + cell_len(piece) > columns:
            lines.append("")
            column = below
        lines[-1] += piece + space
        column += cell_len(piece + space)
    return f"\n{'':{below}}".join(line.rstrip() for line in lines)


def padded(text: str, columns: int) -> str:
    """Return the text with spaces up to so many columns of a terminal; a Chinese character takes two."""
    return text + " " * (columns - cell_width(text))


def cell_width(text: str) -> int:
    """Return the columns that the text takes on a terminal: two for a Chinese character."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
