"""Asks pip and reads uv's files for what they are configured with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.sources.installer_config import Setting, pip_settings, uv_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchdoctor.core.system import System

__all__ = ["PIP_SECONDS", "asking_pip", "pip_may_have_files", "read_settings", "uv_tables"]

PIP_SECONDS = 15.0

# `python -m pip` would look for pip in the current folder first, and run what lies there.
_ASK_PIP = """
import runpy, sys
sys.path[:] = [place for place in sys.path if place]
sys.argv = ["pip", "config", "list"]
runpy.run_module("pip", run_name="__main__")
"""
_SIZE = 1 << 20


def read_settings(
    system: System, *, pythons: Sequence[Path], prefixes: Sequence[Path], folder: Path
) -> tuple[Setting, ...]:
    """Pip's settings as the first of `pythons` that has pip tells them, then uv's for a project in `folder`.

    pip is asked rather than its files read: it alone knows all its levels. Where it has none, in the folders that
    `prefixes` name either, only its variables can say anything, and it is not waited for.
    """
    pip = _ask_pip(system, pythons) if pip_may_have_files(system, prefixes) else _from_variables(system)
    rows = [*pip, *uv_settings(system.environ, list(uv_tables(system.environ, folder)))]
    return tuple({(row.kind, row.place): row for row in reversed(rows)}.values())[::-1]


def asking_pip(python: Path) -> list[str]:
    """The command that has an interpreter's pip say its settings."""
    return [str(python), "-c", _ASK_PIP]


def _ask_pip(system: System, pythons: Sequence[Path]) -> tuple[Setting, ...]:
    for python in dict.fromkeys(pythons):
        answer = system.run(asking_pip(python), timeout=PIP_SECONDS)
        if answer.ok:
            return pip_settings(answer.stdout)
    return _from_variables(system)


def _from_variables(system: System) -> tuple[Setting, ...]:
    keys = ("index-url", "extra-index-url", "find-links", "no-index")
    given = {key: system.environ.get(f"PIP_{key.upper().replace('-', '_')}") for key in keys}
    return pip_settings("\n".join(f":env:.{key}={value!r}" for key, value in given.items() if value))


def pip_may_have_files(system: System, prefixes: Sequence[Path]) -> bool:
    """Whether there may be a settings file for pip, of the interpreters with these prefixes; asked on Linux alone.

    https://pip.pypa.io/en/stable/topics/configuration/#location
    """
    named = system.environ.get("PIP_CONFIG_FILE")
    if sys.platform != "linux" or named == os.devnull:
        return sys.platform != "linux"
    home = system.environ.get("HOME")
    if named is not None or not home:
        return True
    shared = (system.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    own = system.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    folders = ["/etc", *(f"{place}/pip" for place in (*shared, own)), f"{home}/.pip", *map(str, prefixes)]
    return any(system.exists(f"{folder}/pip.conf") for folder in folders)


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
