"""Asks pip and reads uv's files for what they are configured with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.sources.configured import Setting, pip_settings, uv_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchdoctor.machine import World

__all__ = ["PIP_SECONDS", "asking_pip", "read_settings", "uv_tables"]

PIP_SECONDS = 15.0

# `python -m pip` would look for pip in the current folder first, and run what lies there.
_ASK_PIP = """
import runpy, sys
sys.path[:] = [place for place in sys.path if place]
sys.argv = ["pip", "config", "list"]
runpy.run_module("pip", run_name="__main__")
"""
_SIZE = 1 << 20


def read_settings(world: World, *, pythons: Sequence[Path], folder: Path) -> tuple[Setting, ...]:
    """Pip's settings as the first of `pythons` that has pip tells them, then uv's for a project in `folder`.

    pip is asked rather than its files read: it alone knows all its levels.
    """
    rows = [*_ask_pip(world, pythons), *uv_settings(world.environ, list(uv_tables(world.environ, folder)))]
    return tuple({(row.kind, row.place): row for row in reversed(rows)}.values())[::-1]


def asking_pip(python: Path) -> list[str]:
    """The command that has an interpreter's pip say its settings."""
    return [str(python), "-c", _ASK_PIP]


def _ask_pip(world: World, pythons: Sequence[Path]) -> tuple[Setting, ...]:
    for python in dict.fromkeys(pythons):
        answer = world.run(asking_pip(python), timeout=PIP_SECONDS)
        if answer.ok:
            return pip_settings(answer.stdout)
    keys = (
        ("PIP_INDEX_URL", "index-url"),
        ("PIP_EXTRA_INDEX_URL", "extra-index-url"),
        ("PIP_FIND_LINKS", "find-links"),
    )
    lines = (f":env:.{key}={world.environ[name]!r}" for name, key in keys if world.environ.get(name))
    return pip_settings("\n".join(lines))


def uv_tables(environ: Mapping[str, str], folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables of uv's settings, the nearest first; files that cannot be read are passed over, as uv warns of them.

    https://docs.astral.sh/uv/concepts/configuration-files/
    """
    if environ.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes"):
        return
    if environ.get("UV_CONFIG_FILE"):
        yield from _table(Path(environ["UV_CONFIG_FILE"]), ())
        return
    for place in (folder, *folder.parents):
        found = [*_table(place / "uv.toml", ()), *_table(place / "pyproject.toml", ("tool", "uv"))]
        if found:
            yield from found[:1]
            break
    for place in _settings_folders(environ):
        yield from _table(place / "uv" / "uv.toml", ())


def _settings_folders(environ: Mapping[str, str]) -> list[Path]:
    if sys.platform == "win32":
        return [Path(environ[key]) for key in ("APPDATA", "PROGRAMDATA") if environ.get(key)]
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return [Path(place) for place in (home, *shared, "/etc") if place]


def _table(path: Path, keys: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    try:
        if path.stat().st_size > _SIZE:
            return []
        table: Any = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return []
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return [(str(path), table)] if isinstance(table, dict) else []
