"""Tables with a column for each machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.machine_lines import MAX_LINE_CHARACTERS, Span
from torchdoctor.diagnose.parsers.machine_names import heading_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.diagnose.parsers.machine_lines import Line

__all__ = ["TABLE_ROW", "columns_in", "end_of_table"]

TABLE_ROW = re.compile(r"\s{0,8}\|.*\|\s*$")


def columns_in(lines: Sequence[Line], begin: int) -> list[Span]:
    """Return the cells of a table with a column for each machine."""
    first = lines[begin].lower
    if lines[begin].in_fence or not TABLE_ROW.match(first) or "nvidia-smi" in first:
        return []
    names = [heading_name(text.strip(" *`") or "-") for _, text in _cells(first)]
    if len({name for name in names if name}) < 2:  # noqa: PLR2004
        return []
    spans: list[Span] = []
    for line in lines[begin : end_of_table(lines, begin)]:
        for name, (start, text) in zip(names, _cells(line.text[:MAX_LINE_CHARACTERS]), strict=False):
            if name and text.strip(" -:"):
                begins = line.start + start
                spans.append(Span(start=begins, end=begins + len(text), name=name))
    return spans


def end_of_table(lines: Sequence[Line], begin: int) -> int:
    """Return the index of the line after a table."""
    index = begin
    while index < len(lines) and TABLE_ROW.match(lines[index].lower):
        index += 1
    return max(index, begin + 1)


def _cells(row: str) -> list[tuple[int, str]]:
    cells, start = [], row.index("|") + 1
    for text in row[start:].split("|")[:-1]:
        cells.append((start, text))
        start += len(text) + 1
    return cells
