"""Where the commands keep and find things, and how they print JSON."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.core.i18n.messages import message, translate_document
from torchdoctor.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "cache_folder",
    "data_folder",
    "environment_folder",
    "environment_python",
    "full_path",
    "print_json",
    "user_directory",
]


def full_path(path: Path) -> Path:
    """The place itself: from the root, without `..`, and where a link leads to rather than the link.

    Raises `EnvironmentUnusable` when it cannot be told: the current folder is gone, or there is no home folder.
    """
    try:
        return Path(os.path.realpath(path.expanduser()))
    except (OSError, RuntimeError, ValueError) as error:
        raise EnvironmentUnusable(
            message("{place!r} cannot be found: {why}", place=str(path)[:200], why=error),
            fix=message("name it by its full path, from a folder that is there"),
        ) from error


def environment_folder(env: Path) -> Path:
    """Where ENV is to be; raises `EnvironmentUnusable` for a place that one rename cannot put it."""
    folder = full_path(env)
    if not folder.name:
        raise EnvironmentUnusable(
            message("{place} cannot be an environment", place=folder),
            fix=message("name a folder: torchdoctor install ENV"),
        )
    if (why := _unfit(folder)) is not None:
        raise EnvironmentUnusable(
            message("{place!r} cannot be an environment: {because}", place=str(folder)[:200], because=why),
            fix=message("name another folder: torchdoctor install ENV"),
        )
    with contextlib.suppress(OSError):
        here = Path.cwd()
        if folder == here or folder in here.parents:
            raise EnvironmentUnusable(
                message(
                    "{place} is the current folder, or holds it, and would be replaced under your feet",
                    place=folder,
                ),
                fix=message("name a folder inside it, such as .venv, or go elsewhere first"),
                code="current-folder",
            )
    return folder


def _unfit(folder: Path) -> str | None:
    """Why a path that is not there yet can be no environment."""
    try:
        folder.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return message("its name is too long")
    else:
        return None
    # `python -m venv` refuses it too: what is put into PATH would be two folders.
    if os.pathsep in str(folder):
        return message("{sign} separates the folders of PATH", sign=os.pathsep)
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        return message("its name is not UTF-8")
    return None


def cache_folder() -> Path:
    """`TORCHDOCTOR_CACHE_DIR`, else this user's cache folder."""
    given = os.environ.get("TORCHDOCTOR_CACHE_DIR")
    if given:
        return full_path(Path(given))
    from platformdirs import user_cache_path

    return user_directory(user_cache_path, "TORCHDOCTOR_CACHE_DIR")


def data_folder() -> Path:
    """`TORCHDOCTOR_DATA_DIR`, else this user's data folder."""
    given = os.environ.get("TORCHDOCTOR_DATA_DIR")
    if given:
        return full_path(Path(given))
    from platformdirs import user_data_path

    return user_directory(user_data_path, "TORCHDOCTOR_DATA_DIR")


def user_directory(kind: Callable[..., Path], variable: str) -> Path:
    """This user's folder of a kind; raises `EnvironmentUnusable` for one who has no home, as in many containers."""
    try:
        folder = Path(kind("torchdoctor", appauthor=False)).expanduser()
    except (KeyError, RuntimeError) as error:
        raise EnvironmentUnusable(
            message("this user has no home folder, in which torchdoctor would keep its files"),
            fix=message("set HOME, or {variable}, to a folder that can be written to", variable=variable),
            code="no-home",
        ) from error
    return full_path(folder)


def environment_python(env: Path | None) -> Path:
    """The interpreter of ENV; without one of the active environment, then of ./.venv.

    An active environment that is there to run torchdoctor, and has no torch, gives way to ./.venv: after
    `torchdoctor install` that is the one meant. Raises `EnvironmentUnusable` when there is none.
    """
    from torchdoctor.install.location import interpreter_of

    if env is None:
        active = (os.environ.get("VIRTUAL_ENV"), *_before_pre_commit(), os.environ.get("CONDA_PREFIX"))
        there = [place for place in (*active, ".venv") if place and interpreter_of(Path(place)).exists()]
        if there:
            meant = next((place for place in there if not _only_runs_us(place)), there[0])
            return interpreter_of(Path(meant).absolute())
        raise EnvironmentUnusable(
            message("no environment was named, none is active and there is no .venv here"),
            fix=message("name one, or make one with `torchdoctor install`"),
        )
    folder = full_path(env) if not (env.is_symlink() and env.is_file()) else env.absolute()
    if folder.is_file() and os.access(folder, os.X_OK):
        return folder
    # conda keeps python.exe at the top of an environment on Windows.
    for python in (interpreter_of(folder), folder / "python.exe"):
        if python.exists():
            return python
    if (folder / "pyvenv.cfg").is_file():
        raise _interpreter_gone(folder, interpreter_of(folder))
    what = (
        message("{place} is not a virtual environment", place=folder)
        if folder.is_dir()
        else message("{place} is not there", place=folder)
    )
    raise EnvironmentUnusable(
        what, fix=message("name an environment, or make one with `torchdoctor install`")
    )


def _before_pre_commit() -> tuple[str, ...]:
    """The environments that were active when pre-commit put its own before them: their folders are still in PATH.

    https://github.com/pre-commit/pre-commit/blob/main/pre_commit/languages/python.py sets VIRTUAL_ENV anew.
    """
    if not os.environ.get("PRE_COMMIT"):
        return ()
    places = [Path(row).parent for row in os.environ.get("PATH", "").split(os.pathsep) if row]
    return tuple(str(place) for place in places if (place / "pyvenv.cfg").is_file())


def _interpreter_gone(folder: Path, python: Path) -> EnvironmentUnusable:
    """A virtual environment runs the Python that it was made with, by a link or, on Windows, a launcher."""
    config = (folder / "pyvenv.cfg").read_text("utf-8", errors="replace")
    home = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", config)
    # The link's target names the very file; the home of pyvenv.cfg is its folder.
    gone = os.path.realpath(python) if python.is_symlink() else home[1] if home else python
    return EnvironmentUnusable(
        message(
            "{place} is a virtual environment whose interpreter is gone: {python}", place=folder, python=gone
        ),
        fix=message(
            "remove {place} and make it anew: torchdoctor install {again}; a kernel that ran it is mended by "
            "torchdoctor jupyter-kernel repair NAME ENV",
            place=folder,
            again=shlex.quote(str(folder)),
        ),
        code="python-gone",
    )


def _only_runs_us(place: str) -> bool:
    from importlib.util import find_spec

    return full_path(Path(place)) == full_path(Path(sys.prefix)) and find_spec("torch") is None


def print_json(document: dict[str, Any]) -> None:
    """Print the one document of `--json`; its texts are in the language spoken, its names and kinds never."""
    click.echo(json.dumps(translate_document(document), ensure_ascii=not _speaks_unicode()))


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
