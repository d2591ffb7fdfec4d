"""Finds the Python of an existing environment, or the one that a new environment is made with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.detect import describe_python, find_python
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.install.location import interpreter_of
from torchdoctor.inventory.interpreter_files import look_at_python

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.location import LocationKind

__all__ = ["interpreter_for"]


def interpreter_for(
    folder: Path, kind: LocationKind, requested: str | None, system: System, *, reading: bool = False
) -> PythonInfo:
    """Return the environment's own interpreter if it has one, else the `requested` one or the one that runs us.

    `reading`: that of an environment is not run, but read from files. Raises `UsageError` when the environment has
    another Python version than the one requested, and `EnvironmentUnusable` when its interpreter belongs to another
    environment.
    """
    look = look_at_python if reading else describe_python
    if kind not in ("venv", "conda"):
        return find_python(system, requested, look)
    inside = look(system, interpreter_of(folder))
    _refuse_foreign_python(inside, folder)
    if requested is not None:
        found = find_python(system, requested, look)
        if found.version != inside.version:
            raise UsageError(
                message(
                    "{folder} has Python {version}, and --python asks for {asked}",
                    folder=folder,
                    version=inside.version,
                    asked=found.version,
                ),
                fix=message("leave out --python, or name another folder: torchdoctor install ENV"),
            )
    return inside


def _refuse_foreign_python(python: PythonInfo, folder: Path) -> None:
    """Refuse an interpreter that is only a link to another one: an install would change that one's packages."""
    places = (python.prefix, *python.site_packages)
    with contextlib.suppress(OSError):
        if python.prefix.samefile(folder) and all(path.is_relative_to(python.prefix) for path in places):
            return
    raise EnvironmentUnusable(
        message(
            "{executable} is not a Python of {folder}: its packages are those of {prefix}",
            executable=python.executable,
            folder=folder,
            prefix=places[-1],
        ),
        fix=message("name another folder: torchdoctor install ENV"),
        code="not-its-own-python",
    )
