"""The indexes and sources that a pyproject.toml has under `[tool.uv]`, as lists of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.project.pyproject import table_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.project.pyproject import Pyproject

__all__ = ["entries_of", "indexes_of", "section_of", "sources_of"]


def sources_of(pyproject: Pyproject) -> dict[str, Any]:
    """Return `[tool.uv.sources]`."""
    return dict(table_at(pyproject.document, "tool", "uv", "sources"))


def indexes_of(pyproject: Pyproject) -> list[dict[str, Any]]:
    """Return `[[tool.uv.index]]`; what is no table there is an empty one."""
    rows = table_at(pyproject.document, "tool", "uv").get("index")
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []


def entries_of(value: Any) -> list[dict[str, Any]]:
    """A source as a list: it may be one table or several."""
    rows: Iterator[Any] = iter(value if isinstance(value, list) else [value])
    return [row for row in rows if isinstance(row, dict)]


def section_of(entry: dict[str, Any]) -> tuple[str, str] | None:
    """The extra or group that an entry of a source is for."""
    for kind in ("extra", "group"):
        if isinstance(entry.get(kind), str):
            return kind, str(canonicalize_name(entry[kind]))
    return None
