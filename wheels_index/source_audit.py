"""Which facts of the data name no source, or one that was remembered and not read."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from wheels_index._data import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["unsourced"]

_FIGURES = ("_tflops", "_gbs")
_DATE = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)
# What others can read again: a page by its address, or a file by its repository and path.
_DOCUMENT = re.compile(r"https://[^\s/]+/\S+|[A-Za-z0-9-]+/[\w.-]+ \S*\w\.\w+", re.ASCII)


def unsourced(folder: Path = FOLDER) -> Iterator[str]:
    """Yield a line for each fact without a source: the file, where in it, and what is said instead of a source.

    >>> list(unsourced())
    []
    """
    for path in sorted((*folder.glob("*.json"), *folder.glob("extensions/*.json"))):
        yield from _rows(path.relative_to(folder).as_posix(), json.loads(path.read_bytes()))
    for path in sorted(folder.glob("releases/*.json")):
        if not json.loads(path.read_bytes())["sources"]:
            yield f"{path.relative_to(folder).as_posix()}: no source"


def _rows(where: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for row in value:
            name = row.get("name") if isinstance(row, dict) else None
            yield from _rows(f"{where} {name}" if name else where, row)
        return
    if not isinstance(value, dict):
        return
    source = value.get("source", "")
    if source is None or (isinstance(source, str) and "recalled" in source):
        yield f"{where}: {source or 'no source'}"
    if _has_figures(value) and not _was_read(value):
        yield f"{where}: figures that nobody has read again ({value.get('figures_source') or 'no source'})"
    for key, member in value.items():
        if isinstance(member, dict | list):
            yield from _rows(f"{where} {key}", member)


def _has_figures(row: dict[str, Any]) -> bool:
    return any(isinstance(row[key], int | float) for key in row if key.endswith(_FIGURES))


def _was_read(row: dict[str, Any]) -> bool:
    """Whether the row of figures names the vendor's document, and the day and the documents in which it was read.

    "A public survey" is none of them: nobody can read it again.
    """
    document, checked = (
        row.get("figures_source", row.get("source")),
        row.get("figures_checked", row.get("date")),
    )
    if not document or not isinstance(checked, str) or _DATE.search(checked) is None:
        return False
    read_in = row["read_in"] if "read_in" in row else checked.partition(" in ")[2]
    return all(_DOCUMENT.match(each.strip()) for each in str(read_in).split(";"))
