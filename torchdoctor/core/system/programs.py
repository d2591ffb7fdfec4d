"""Finds a program by its name: on PATH, but not in an environment, nor where another user could have put it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.ownership import foreign_reason
from torchdoctor.core.i18n import message
from torchdoctor.core.system.environment_trust import is_environment, is_trusted_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["find_program", "look_for_program"]

_WINDOWS_ENDINGS = ".COM;.EXE;.BAT;.CMD"


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the path of a program, or None; see `look_for_program`."""
    return look_for_program(name, environ)[0]


def look_for_program(name: str, environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the path of the first program of that name on PATH that may run, and why the one before it may not.

    The current folder is never looked into, as Windows would first, nor a relative folder of PATH. A program of an
    environment runs only where that one runs torchdoctor, or somebody agreed. A path, as `name`, is not searched for.
    """
    names = tuple(_names(name, environ))
    if os.path.dirname(name):  # noqa: PTH120
        return next((path for path in names if _is_program(path)), None), ""
    skipped = ""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        # An empty entry is the current folder.
        for path in (os.path.join(folder, each) for each in names):  # noqa: PTH118
            if _is_program(path):
                reason = _reason(folder, Path(path))
                if reason is None:
                    return path, skipped
                skipped = skipped or reason
    return None, skipped


def _reason(folder: str, path: Path) -> str | None:
    """Why a program may not run unasked; None where it may."""
    if not Path(folder).is_absolute():
        return message("{path} is in a relative folder of PATH", path=path)
    # A link of the user's own into an environment, as pipx makes, is his word; a folder that is a link is none.
    for inside in (Path(folder), Path(os.path.realpath(folder))):
        environment = next(filter(is_environment, (inside, *inside.parents)), None)
        if environment is not None and not is_trusted_environment(environment):
            return message("{path} belongs to the environment {folder}", path=path, folder=environment)
    return foreign_reason([path])


def _names(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    if sys.platform != "win32":
        yield name
        return
    endings = [end for end in (environ.get("PATHEXT") or _WINDOWS_ENDINGS).split(os.pathsep) if end]
    if any(name.lower().endswith(end.lower()) for end in endings):
        yield name
    else:
        yield from (name + end for end in endings)


def _is_program(path: str) -> bool:
    try:
        return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113
    except ValueError:  # a null byte
        return False
