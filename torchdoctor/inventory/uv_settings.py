"""uv's settings: its variables and its files, which are TOML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from torchdoctor.core.fs.regular_files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["UvTable", "flatten_uv_table", "read_uv_tables"]

# The path of a file and uv's table in it.
UvTable = tuple[str, dict[str, Any]]

_MAX_FILE_BYTES = 1 << 20
_MAX_DEPTH = 4  # no setting of uv lies deeper
_MAX_ITEMS = 50  # of a list
_MAX_VALUE_LENGTH = 500
_YES = ("1", "true", "yes")


def read_uv_tables(environ: Mapping[str, str], folder: Path) -> Iterator[UvTable]:
    """The tables that uv reads for a project in `folder`, the nearest first, which wins.

    Files that cannot be read are passed over; uv itself warns about them.
    https://docs.astral.sh/uv/concepts/configuration-files/
    """
    if environ.get("UV_NO_CONFIG", "").lower() in _YES:
        return
    if environ.get("UV_CONFIG_FILE"):
        yield from _read_table(Path(environ["UV_CONFIG_FILE"]), ())
        return
    for parent in (folder, *folder.parents):
        tables = [
            *_read_table(parent / "uv.toml", ()),
            *_read_table(parent / "pyproject.toml", ("tool", "uv")),
        ]
        if tables:
            yield tables[0]
            break
    for config in _config_folders(environ):
        yield from _read_table(config / "uv" / "uv.toml", ())


def _config_folders(environ: Mapping[str, str]) -> list[Path]:
    if sys.platform == "win32":
        return [Path(environ[key]) for key in ("APPDATA", "PROGRAMDATA") if environ.get(key)]
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return [Path(folder) for folder in (home, *shared, "/etc") if folder]


def _read_table(path: Path, keys: tuple[str, ...]) -> list[UvTable]:
    try:
        table: Any = tomllib.loads(read_regular(path, limit=_MAX_FILE_BYTES).decode("utf-8"))
    except (OSError, ValueError):
        return []
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return [(str(path), table)] if isinstance(table, dict) else []


def flatten_uv_table(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Each scalar by its dotted key; a list of scalars is one value, separated by spaces."""
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        for key, inner in value.items():
            yield from flatten_uv_table(inner, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(value, list):
        items = value[:_MAX_ITEMS]
        scalars = [str(item)[:_MAX_VALUE_LENGTH] for item in items if isinstance(item, (str, int, float))]
        if scalars:
            yield name, " ".join(scalars)
        for item in items:
            if isinstance(item, dict):
                yield from flatten_uv_table(item, name, depth + 1)
    elif isinstance(value, (str, int, float)):
        yield name, str(value)
