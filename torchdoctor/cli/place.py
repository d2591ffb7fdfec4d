"""Where the commands keep and find things, and how they print JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.message import shown_in

__all__ = [
    "cache_folder",
    "data_folder",
    "environment_folder",
    "environment_python",
    "full_path",
    "say_json",
]


def full_path(path: Path) -> Path:
    """The place itself: from the root, without `..`, and where a link leads to rather than the link.

    Raises `EnvironmentUnusable` when it cannot be told: the current folder is gone, or there is no home folder.
    """
    try:
        return Path(os.path.realpath(path.expanduser()))
    except (OSError, RuntimeError, ValueError) as error:
        raise EnvironmentUnusable(
            f"{str(path)[:200]!r} cannot be found: {error}",
            fix="name it by its full path, from a folder that is there",
        ) from error


def environment_folder(env: Path) -> Path:
    """Where ENV is to be; raises `EnvironmentUnusable` for a place that one rename cannot put it."""
    folder = full_path(env)
    if not folder.name:
        raise EnvironmentUnusable(
            f"{folder} cannot be an environment", fix="name a folder: torchdoctor install ENV"
        )
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if folder == here or folder in here.parents:
            raise EnvironmentUnusable(
                f"{folder} is the current folder, or holds it, and would be replaced under your feet",
                fix="name a folder inside it, such as .venv, or go elsewhere first",
                kind="current-folder",
            )
    return folder


def cache_folder() -> Path:
    """`TORCHDOCTOR_CACHE_DIR`, else this user's cache folder."""
    given = os.environ.get("TORCHDOCTOR_CACHE_DIR")
    if given:
        return full_path(Path(given))
    from platformdirs import user_cache_path

    return full_path(user_cache_path("torchdoctor", appauthor=False))


def data_folder() -> Path:
    """`TORCHDOCTOR_DATA_DIR`, else this user's data folder."""
    given = os.environ.get("TORCHDOCTOR_DATA_DIR")
    if given:
        return full_path(Path(given))
    from platformdirs import user_data_path

    return full_path(user_data_path("torchdoctor", appauthor=False))


def environment_python(env: Path | None) -> Path:
    """The interpreter of ENV; without one of the active environment, then of ./.venv.

    An active environment that is there to run torchdoctor, and has no torch, gives way to ./.venv: after
    `torchdoctor install` that is the one meant. Raises `EnvironmentUnusable` when there is none.
    """
    from torchdoctor.examine import interpreter_of

    if env is None:
        active = (os.environ.get("VIRTUAL_ENV"), os.environ.get("CONDA_PREFIX"))
        there = [place for place in (*active, ".venv") if place and interpreter_of(Path(place)).exists()]
        if there:
            meant = next((place for place in there if not _only_runs_us(place)), there[0])
            return interpreter_of(Path(meant).absolute())
        raise EnvironmentUnusable(
            "no environment was named, none is active and there is no .venv here",
            fix="name one, or make one with `torchdoctor install`",
        )
    folder = full_path(env) if not (env.is_symlink() and env.is_file()) else env.absolute()
    if folder.is_file() and os.access(folder, os.X_OK):
        return folder
    # conda keeps python.exe at the top of an environment on Windows.
    for python in (interpreter_of(folder), folder / "python.exe"):
        if python.exists():
            return python
    what = "is not a virtual environment" if folder.is_dir() else "is not there"
    raise EnvironmentUnusable(
        f"{folder} {what}", fix="name an environment, or make one with `torchdoctor install`"
    )


def _only_runs_us(place: str) -> bool:
    from importlib.util import find_spec

    return full_path(Path(place)) == full_path(Path(sys.prefix)) and find_spec("torch") is None


def say_json(document: dict[str, Any]) -> None:
    """Print the one document of `--json`; its texts are in the language spoken, its names and kinds never."""
    click.echo(json.dumps(shown_in(document), ensure_ascii=not _speaks_unicode()))


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
