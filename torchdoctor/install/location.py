"""What is at the place where an environment is to be, and whether it is ours to change."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Literal

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import EnvironmentUnusable

__all__ = ["LocationKind", "changed_in_place", "inspect_location", "interpreter_of", "unwritable_above"]

# What is at the place of the environment before.
LocationKind = Literal["new", "empty", "venv", "conda"]

_ADVICE = message("name another folder: torchdoctor install ENV")


def interpreter_of(folder: Path) -> Path:
    """Where an environment in `folder` has its interpreter; conda on Windows keeps it at the top."""
    if sys.platform != "win32":
        return folder / "bin" / "python"
    top = folder / "python.exe"
    return top if (folder / "conda-meta").is_dir() and top.exists() else folder / "Scripts" / "python.exe"


def inspect_location(folder: Path) -> LocationKind:
    """What is at `folder`: nothing, an empty folder, a venv or a conda environment.

    Raises `EnvironmentUnusable` for everything else, since it is not ours to change.
    """
    try:
        if not folder.exists() and not folder.is_symlink():
            return "new"
        if not folder.is_dir():
            raise EnvironmentUnusable(message("{folder} is not a folder", folder=folder), fix=_ADVICE)
        mounted = os.path.ismount(folder)
        if not any(folder.iterdir()) and not mounted:
            return "empty"
    except PermissionError as error:
        raise EnvironmentUnusable(
            message("{folder} cannot be read: {strerror}", folder=folder, strerror=error.strerror),
            fix=_ADVICE,
        ) from error
    _refuse_system(folder)
    state: LocationKind = "conda" if (folder / "conda-meta").is_dir() else "venv"
    if state == "venv" and not (folder / "pyvenv.cfg").is_file():
        if mounted:
            raise EnvironmentUnusable(
                message("{folder} is a mount point, which cannot be replaced", folder=folder),
                fix=message(
                    "name a folder inside it: torchdoctor install {inside}",
                    inside=shlex.quote(str(folder / "env")),
                ),
                code="mount-point",
            )
        raise EnvironmentUnusable(
            message(
                "{folder} is not empty and is not a virtual environment, so nothing is put there",
                folder=folder,
            ),
            fix=_ADVICE,
            code="not-a-venv",
        )
    if not interpreter_of(folder).exists():
        raise _without_python(folder, state)
    return state


def unwritable_above(place: Path) -> Path | None:
    """The nearest that is there of `place` and the folders above it, where it cannot be written to."""
    while not os.access(place, os.F_OK):
        place = place.parent
    return None if os.access(place, os.W_OK | os.X_OK) else place


def changed_in_place(folder: Path, state: LocationKind) -> bool:
    """Whether the environment has to be changed where it is.

    It is conda's own, a mount point, or below a parent that is read-only; or another disk is mounted inside of it,
    which would go away with the old environment, and what lies on it too.
    """
    if state not in ("venv", "conda"):
        return False
    return (
        state == "conda"
        or os.path.ismount(folder)
        or not os.access(folder.parent, os.W_OK)
        or _mounted_inside(folder)
    )


def _mounted_inside(folder: Path) -> bool:
    """Whether anything is mounted below the folder; the table of mounts knows of binds on the same disk as well."""
    table = Path("/proc/self/mountinfo")
    try:
        rows = table.read_bytes().splitlines()
    except OSError:
        device = folder.stat().st_dev
        return any(os.lstat(place).st_dev != device for place, _, _ in os.walk(folder))
    # https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html: blanks and the like are octal.
    inside = os.fsencode(folder.resolve()) + b"/"
    places = (re.sub(rb"\\([0-7]{3})", lambda sign: bytes([int(sign[1], 8)]), row.split()[4]) for row in rows)
    return any(place.startswith(inside) for place in places)


def _refuse_system(folder: Path) -> None:
    # https://peps.python.org/pep-0668/, and conda's https://conda.org/learn/ceps/cep-0022/
    marks = [*folder.glob("lib/python3*/EXTERNALLY-MANAGED"), *folder.glob("Lib/EXTERNALLY-MANAGED")]
    if marks and not (folder / "pyvenv.cfg").is_file():
        raise EnvironmentUnusable(
            message(
                "{folder} is the system's Python, which only the system's own tools may change ({marks})",
                folder=folder,
                marks=marks[0],
            ),
            fix=_ADVICE,
            code="externally-managed",
        )
    if (folder / "conda-meta" / "frozen").exists():
        raise EnvironmentUnusable(
            message("{folder} is a conda environment that is frozen", folder=folder),
            fix=message("make one of its own with `conda create`, or a venv: torchdoctor install ENV"),
            code="externally-managed",
        )


def _without_python(folder: Path, state: LocationKind) -> EnvironmentUnusable:
    if state == "conda":
        return EnvironmentUnusable(
            message("{folder} is a conda environment without a Python", folder=folder),
            fix=message("install one: conda install -p {place} python pip", place=shlex.quote(str(folder))),
            code="conda",
        )
    return EnvironmentUnusable(
        message("{folder} is a virtual environment whose Python is gone", folder=folder),
        fix=message("remove {folder}, or name another folder: torchdoctor install ENV", folder=folder),
        code="broken-venv",
    )
