"""A table: columns on a terminal, whole lines in a pipe or a file, short blocks on a narrow terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.text import Text

from torchdoctor.report.terminal.wrap import hanging

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from rich.console import Console

__all__ = ["Grid", "make_console"]

# On a narrower terminal the last column of a table would be a few letters wide.
_NARROW_COLUMNS = 60
_INDENT = 2


def make_console(*, stderr: bool = False) -> Console:
    """Return the console that tables are printed on; with NO_COLOR it writes no escapes (https://no-color.org)."""
    from torchdoctor.report.terminal.guarded_console import GuardedConsole

    return GuardedConsole(
        soft_wrap=True, stderr=stderr, color_system=None if os.environ.get("NO_COLOR") else "auto"
    )


class Grid:
    """A table without lines. `lead` columns are on the first line of a block; those in `right` are aligned right."""

    def __init__(self, *heads: str, right: Collection[int] = (), lead: int = 1) -> None:
        self._heads, self._right, self._lead = heads, right, lead
        self._rows: list[tuple[Text, ...]] = []

    def add(self, *cells: str | Text) -> None:
        """Add a row; a text is never read as markup."""
        self._rows.append(tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells))

    def print_on(self, console: Console) -> None:
        """Print the table; nothing where it has no rows."""
        if not self._rows:
            return
        if not console.is_terminal:
            for row in [tuple(map(Text, self._heads)), *self._rows]:
                _print_line(console, Text(self._line(row)))
        elif console.width < _NARROW_COLUMNS:
            for row in self._rows:
                for line in self._block(row, console.width):
                    _print_line(console, line)
        else:
            console.print(self._table())

    def _line(self, row: tuple[Text, ...]) -> str:
        """The cells, aligned with those of the other rows; the last one is not padded."""
        cells = []
        for number, cell in enumerate(row):
            gap = " " * (self._width(number) - cell.cell_len)
            cells.append(gap + cell.plain if number in self._right else cell.plain + gap)
        return "  ".join(cells).rstrip()

    def _width(self, number: int) -> int:
        return max(Text(self._heads[number]).cell_len, *(row[number].cell_len for row in self._rows))

    def _block(self, row: tuple[Text, ...], width: int) -> Iterable[Text]:
        """The first cells of the row on one line, the rest indented below it."""
        yield Text(" ").join(cell for cell in row[: self._lead] if cell.plain)
        line = ""
        for head, cell in zip(self._heads[self._lead :], row[self._lead :], strict=True):
            if not cell.plain:
                continue
            piece = f"{head} {cell.plain}" if head else cell.plain
            if line and _INDENT + Text(f"{line}  {piece}").cell_len > width:
                yield _below(line, width)
                line = ""
            line = f"{line}  {piece}" if line else piece
        if line:
            yield _below(line, width)

    def _table(self) -> object:
        from rich.table import Table

        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
        for number, head in enumerate(self._heads):
            table.add_column(
                Text(head),
                justify="right" if number in self._right else "left",
                no_wrap=number not in self._folded(),
                overflow="fold",
            )
        for row in self._rows:
            table.add_row(*row)
        return table

    def _folded(self) -> Collection[int]:
        """The columns that are folded where the terminal is too narrow: those with the longest texts."""
        widths = [self._width(number) for number in range(len(self._heads))]
        return {
            number
            for number, width in enumerate(widths)
            if width > _NARROW_COLUMNS // 3 or width == max(widths)
        }


def _below(text: str, width: int) -> Text:
    return Text(" " * _INDENT + hanging(text, _INDENT, width))


def _print_line(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True)
