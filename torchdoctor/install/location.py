"""What is at the path of an environment, and whether we may change it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Literal

from torchdoctor.core.fs.noexec import is_noexec
from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import EnvironmentUnusable, InstallFailed

__all__ = [
    "LocationKind",
    "environment_of",
    "inspect_location",
    "interpreter_of",
    "must_change_in_place",
    "refuse_unwritable",
    "unwritable_ancestor",
]

# What is at the path before the install: nothing, an empty folder, or an environment of this kind.
LocationKind = Literal["new", "empty", "venv", "conda"]

_ADVICE = message("name another folder: torchdoctor install ENV")


def interpreter_of(folder: Path) -> Path:
    """Return the path of the interpreter of an environment at `folder`; conda on Windows keeps it at the top."""
    if sys.platform != "win32":
        return folder / "bin" / "python"
    top = folder / "python.exe"
    return top if (folder / "conda-meta").is_dir() and top.exists() else folder / "Scripts" / "python.exe"


def environment_of(python: Path) -> Path:
    """Return the folder of the environment whose interpreter is at this path, by the path alone."""
    top = (python.parent / "conda-meta").is_dir() or (python.parent / "pyvenv.cfg").is_file()
    return python.parent if top else python.parent.parent


def inspect_location(folder: Path) -> LocationKind:
    """Say what is at `folder`: nothing, an empty folder, a venv or a conda environment.

    Raises `EnvironmentUnusable` for everything else, which we do not change.
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
    kind: LocationKind = "conda" if (folder / "conda-meta").is_dir() else "venv"
    if kind == "venv" and not (folder / "pyvenv.cfg").is_file():
        if mounted:
            raise EnvironmentUnusable(
                message("{folder} is a mount point, which cannot be replaced", folder=folder),
                fix=message(
                    "name a folder inside it: torchdoctor install {inside}",
                    inside=quoted(str(folder / "env")),
                ),
                code="mount-point",
            )
        raise EnvironmentUnusable(
            message(
                "{folder} is not empty and is not a virtual environment, so nothing is installed there",
                folder=folder,
            ),
            fix=_ADVICE,
            code="not-a-venv",
        )
    if not interpreter_of(folder).exists():
        raise _without_python(folder, kind)
    return kind


def unwritable_ancestor(path: Path) -> Path | None:
    """Return the nearest existing one of `path` and the folders above it if it is not writable, else None."""
    while not os.access(path, os.F_OK):
        path = path.parent
    return None if os.access(path, os.W_OK | os.X_OK) else path


def refuse_unwritable(folder: Path, kind: LocationKind) -> None:
    """Raise `InstallFailed` when an environment cannot be written there, or used, before gigabytes are fetched."""
    place = folder if must_change_in_place(folder, kind) else folder.parent
    if is_noexec(place):
        raise InstallFailed(
            message(
                "{folder} is on a file system that is mounted noexec: no program there runs, and no compiled package "
                "can be imported",
                folder=folder,
            ),
            fix=_ADVICE,
            code="noexec",
        )
    path = unwritable_ancestor(place)
    if path is not None:
        raise InstallFailed(
            message("{folder} could not be created: {place} cannot be written to", folder=folder, place=path),
            fix=_ADVICE,
        )


def must_change_in_place(folder: Path, kind: LocationKind) -> bool:
    """Say whether the environment cannot be replaced and has to be changed where it is.

    It is conda's, a mount point, or in a read-only parent; or a disk is mounted inside it, whose content would be
    removed together with the old environment.
    """
    if kind not in ("venv", "conda"):
        return False
    return (
        kind == "conda"
        or os.path.ismount(folder)
        or not os.access(folder.parent, os.W_OK)
        or _mounted_inside(folder)
    )


def _mounted_inside(folder: Path) -> bool:
    """Say whether anything is mounted below the folder; the table of mounts also lists binds on the same disk."""
    table = Path("/proc/self/mountinfo")
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        device = folder.stat().st_dev
        return any(os.lstat(place).st_dev != device for place, _, _ in os.walk(folder))
    # https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html: blanks and the like are octal.
    inside = os.fsencode(folder.resolve()) + b"/"
    mounts = (
        re.sub(rb"\\([0-7]{3})", lambda sign: bytes([int(sign[1], 8)]), line.split()[4]) for line in lines
    )
    return any(mount.startswith(inside) for mount in mounts)


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
            fix=message("create another one with `conda create`, or a venv: torchdoctor install ENV"),
            code="externally-managed",
        )


def _without_python(folder: Path, kind: LocationKind) -> EnvironmentUnusable:
    if kind == "conda":
        return EnvironmentUnusable(
            message("{folder} is a conda environment without a Python", folder=folder),
            fix=message("install one: conda install -p {place} python pip", place=quoted(str(folder))),
            code="conda",
        )
    return EnvironmentUnusable(
        message("{folder} is a virtual environment whose Python no longer exists", folder=folder),
        fix=message(
            "torchdoctor doctor {place} --fix makes it run another Python of its version; or name another folder: "
            "torchdoctor install ENV",
            place=quoted(str(folder)),
        ),
        code="broken-venv",
    )
