"""Which Python an environment is made with, or has."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.detect import describe_python, find_python
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.install.location import interpreter_of

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.install.location import LocationKind

__all__ = ["interpreter_for"]


def interpreter_for(folder: Path, state: LocationKind, asked: str | None, system: System) -> PythonInfo:
    """The environment's own interpreter where there is one, else the one asked for or that runs this.

    Raises `UsageError` where another version is asked for than the environment has, `EnvironmentUnusable` where its
    interpreter is none of its own.
    """
    if state not in ("venv", "conda"):
        return find_python(system, asked)
    inside = describe_python(system, interpreter_of(folder))
    _refuse_strange(inside, folder)
    if asked is not None:
        found = find_python(system, asked)
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


def _refuse_strange(python: PythonInfo, folder: Path) -> None:
    """An interpreter that only is linked to from there would have its own packages changed, wherever they are."""
    with contextlib.suppress(OSError):
        if python.prefix.samefile(folder):
            return
    raise EnvironmentUnusable(
        message(
            "{executable} is not a Python of {folder}: its packages are those of {prefix}",
            executable=python.executable,
            folder=folder,
            prefix=python.prefix,
        ),
        fix=message("name another folder: torchdoctor install ENV"),
        code="not-its-own-python",
    )
