"""Where an environment is made beside its place: who may, what a killed run left, and the step that puts it there."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from torchdoctor.core.fs.folder_lock import is_locked_by_other
from torchdoctor.core.fs.swap import swap_directories, sync_directory
from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import InstallFailed
from torchdoctor.install import in_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.install.location import LocationKind

__all__ = [
    "check_space",
    "clear",
    "exclusive_install_lock",
    "os_errors_as_install_failed",
    "recover",
    "staging_path",
    "swap",
]


def staging_path(folder: Path, what: str) -> Path:
    """A hidden sibling that belongs to this folder alone: `venv` and `.venv` may lie side by side."""
    mark = hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]
    # File systems count bytes: a name of 80 Chinese signs has 240 of them.
    shown = os.fsencode(folder.name.lstrip("."))[:80].decode("utf-8", "ignore")
    return folder.parent / f".{shown}.torchdoctor-{mark}-{what}"


@contextlib.contextmanager
def exclusive_install_lock(folder: Path, locks: Path) -> Iterator[None]:
    """Two installs into one folder take turns; the second is told so rather than left waiting."""
    locks.mkdir(parents=True, exist_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    try:
        with FileLock(locks / f"{name}.lock", timeout=0):
            yield
    except Timeout as error:
        raise _busy(folder) from error


def _busy(folder: Path) -> InstallFailed:
    return InstallFailed(
        message("another torchdoctor is installing into {folder}", folder=folder),
        fix=message("wait until it is done"),
        code="busy",
    )


def recover(folder: Path, locks: Path) -> None:
    """Finish or clear what a killed run left: the old environment comes back if the new one did not.

    Raises `InstallFailed` when another run is at work there, or the system refuses.
    """
    if not _left(folder, "") and not (folder / in_place.FOLDER).is_dir():
        return
    try:
        with exclusive_install_lock(folder, locks):
            clear(folder)
    except OSError as error:
        raise InstallFailed(
            message(
                "what an interrupted run left at {folder} cannot be cleared: {strerror}",
                folder=folder,
                strerror=error.strerror or error,
            ),
            fix=message("check that the folder can be written to, and run the command again"),
        ) from error


def _left(folder: Path, what: str) -> list[Path]:
    """What runs of ours left beside the folder; where all may write (/tmp), less what another user put there."""
    found = list(folder.parent.glob(f"{glob.escape(staging_path(folder, what).name)}*"))
    if sys.platform == "win32" or not found:
        return found
    parent = folder.parent.stat()
    if not parent.st_mode & stat.S_IWOTH:
        return found
    return [path for path in found if path.lstat().st_uid in (os.geteuid(), parent.st_uid)]


def clear(folder: Path) -> None:
    """What `recover` does, for who is `exclusive_install_lock` there already."""
    stages = _left(folder, "new")
    # One whose locks lie in another cache is not kept away by ours.
    if any(map(is_locked_by_other, (folder, *stages))):
        raise _busy(folder)
    in_place.undo(folder)
    old = staging_path(folder, "old")
    if old in _left(folder, "old") and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    for left in stages:
        # A process that outlived its parent may still write there; what is left goes the next time.
        shutil.rmtree(left, ignore_errors=True)


def swap(stage: Path, folder: Path, state: LocationKind) -> None:
    """Put what is at `stage` at `folder`, where `state` is, in one step; what was there goes."""
    if state != "venv":
        if state == "empty" and sys.platform == "win32":
            # Elsewhere a rename takes the place of an empty folder.
            folder.rmdir()
        stage.rename(folder)
    elif not swap_directories(stage, folder):
        old = staging_path(folder, "old")
        folder.rename(old)
        try:
            stage.rename(folder)
        except BaseException:
            old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync_directory(folder.parent)


@contextlib.contextmanager
def os_errors_as_install_failed(folder: Path) -> Iterator[None]:
    """What the system refuses is told as ours."""
    try:
        yield
    except OSError as error:
        raise InstallFailed(
            message(
                "{folder} could not be made: {why}{where}",
                folder=folder,
                why=error.strerror or error,
                where=f" ({error.filename})" if error.filename else "",
            ),
            fix=message(
                "check that the folder above it can be written to and has space, or name another folder: "
                "torchdoctor install ENV"
            ),
        ) from error


def check_space(needed: int, parent: Path) -> None:
    """Raise `InstallFailed` where fewer than `needed` bytes are free."""
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise InstallFailed(
            message(
                "the environment needs {needed:.1f} GB and {parent} has {free:.1f} GB free",
                needed=needed / 1e9,
                parent=parent,
                free=free / 1e9,
            ),
            fix=message("free space there, or name a folder on another disk: torchdoctor install ENV"),
            code="no-space",
        )
