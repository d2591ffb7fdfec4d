"""Format data files: JSON that reads well in a diff, one wheel per line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["dumps", "write"]

_WIDTH = 200  # a wheel's name, its digest and its size fit on one line


def dumps(value: Any, indent: int = 0) -> str:
    """Return `value` as JSON: scalars and short lists of scalars on one line, the rest one member a line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or _is_row(value, len(flat) + indent):
        return flat
    pad, inner = " " * indent, " " * (indent + 1)
    if isinstance(value, dict):
        lines = [
            f"{inner}{json.dumps(k, ensure_ascii=False)}: {dumps(v, indent + 1)}" for k, v in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{pad}}}"
    return "[\n" + ",\n".join(inner + dumps(member, indent + 1) for member in value) + f"\n{pad}]"


def _is_row(value: dict[str, Any] | list[Any], width: int) -> bool:
    """Say whether a list of scalars fits on one line; an object always takes a line a member."""
    return isinstance(value, list) and width <= _WIDTH and not any(isinstance(v, dict | list) for v in value)


def write(path: Path, value: Any) -> None:
    """Write `value` to `path`, the same bytes for the same value on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((dumps(value) + "\n").encode())
