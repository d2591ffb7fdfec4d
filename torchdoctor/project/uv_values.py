"""The indexes and sources that a pyproject.toml has under `[tool.uv]`, as lists of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.project.pyproject import table_at
from torchdoctor.project.torch_index import variant_of_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.project.pyproject import Pyproject

__all__ = ["entries_of", "index_variants", "indexes_of", "section_of", "sources_of", "variant_of_entry"]


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


def index_variants(pyproject: Pyproject) -> dict[str, str | None]:
    """Return the variant of each index by its name; None for an index that is not PyTorch's."""
    return {
        row["name"]: variant_of_index(row.get("url"))
        for row in indexes_of(pyproject)
        if isinstance(row.get("name"), str)
    }


def variant_of_entry(entry: dict[str, Any], variants: dict[str, str | None]) -> str | None:
    """Return the variant of the index that an entry of a source names."""
    name = entry.get("index")
    return variants.get(name) if isinstance(name, str) else None
