"""Where the commands keep and find things, and how they print JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from torchdoctor.errors import EnvironmentUnusable

__all__ = ["cache_folder", "data_folder", "environment_python", "say_json"]


def cache_folder() -> Path:
    """`TORCHDOCTOR_CACHE_DIR`, else this user's cache folder."""
    given = os.environ.get("TORCHDOCTOR_CACHE_DIR")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("torchdoctor", appauthor=False)


def data_folder() -> Path:
    """`TORCHDOCTOR_DATA_DIR`, else this user's data folder."""
    given = os.environ.get("TORCHDOCTOR_DATA_DIR")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("torchdoctor", appauthor=False)


def environment_python(env: Path | None) -> Path:
    """The interpreter of ENV; without one of the active environment, then of ./.venv.

    Raises `EnvironmentUnusable` when there is none.
    """
    from torchdoctor.environment import interpreter_of

    if env is None:
        for place in (os.environ.get("VIRTUAL_ENV"), os.environ.get("CONDA_PREFIX"), ".venv"):
            if place and interpreter_of(Path(place)).exists():
                return interpreter_of(Path(place).absolute())
        raise EnvironmentUnusable(
            "no environment was named, none is active and there is no .venv here",
            fix="name one, or make one with `torchdoctor install`",
        )
    folder = env.expanduser().absolute()
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


def say_json(document: dict[str, Any]) -> None:
    """Print the one document of `--json`."""
    click.echo(json.dumps(document, ensure_ascii=not _speaks_unicode()))


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
