"""Lines of a requirements file as pip joins them, each with the place in the file that its characters come from.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LogicalLine", "logical_lines"]

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogicalLine:
    """Text without comments and joined where lines end with a backslash; never empty."""

    text: str
    number: int  # the line that it begins at, from 1
    # Where each physical line begins in `text`: the offset there, its line number, the column of that character.
    pieces: tuple[tuple[int, int, int], ...]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column, both from 1, of the character at `offset` of the text."""
        start, number, column = next(piece for piece in reversed(self.pieces) if piece[0] <= max(offset, 0))
        return number, column + max(offset, 0) - start


def logical_lines(text: str, environ: Mapping[str, str]) -> Iterator[LogicalLine]:
    """Yield the lines that say something; `${NAME}` becomes the value of a variable that is set."""
    pieces: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            pieces.append((number, line.strip("\\")))
            continue
        # A comment ends what was begun; the space lets it be seen as a comment there.
        pieces.append((number, f" {line}" if is_comment else line))
        yield from _joined(pieces, environ)
        pieces = []
    yield from _joined(pieces, environ)


def _joined(pieces: list[tuple[int, str]], environ: Mapping[str, str]) -> Iterator[LogicalLine]:
    whole = "".join(text for _, text in pieces)
    bare = _COMMENT.sub("", whole)
    skipped = len(bare) - len(bare.lstrip())
    stripped = bare.strip()
    if not stripped:
        return
    expanded = _VARIABLE.sub(lambda found: environ.get(found[1]) or found[0], stripped)
    starts: list[tuple[int, int, int]] = []
    end = -skipped
    for number, text in pieces:
        start, end = end, end + len(text)
        if end > 0 or not starts:
            column = max(-start, 0) + 1
            starts = [(0, number, column)] if start <= 0 else [*starts, (start, number, 1)]
    if expanded != stripped:  # offsets no longer tell where a character was
        starts = starts[:1]
    yield LogicalLine(text=expanded, number=pieces[0][0], pieces=tuple(starts))
