"""Staging directory of an environment: locking, clean-up after killed runs, final rename."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import secrets
import shutil
import sys
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from torchdoctor.core.fs import is_locked_by_other, swap_directories, sync_directory
from torchdoctor.core.fs.own_files import is_own, make_own_folder
from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed
from torchdoctor.install import in_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.install.location import LocationKind

__all__ = [
    "check_space",
    "clear_leftovers",
    "exclusive_install_lock",
    "move_into_place",
    "new_staging_path",
    "os_errors_as_install_failed",
    "recover_environment",
    "staging_path",
]


def staging_path(folder: Path, purpose: str) -> Path:
    """Return a hidden sibling of `folder` that no other folder shares, not even `.venv` with `venv`."""
    mark = hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]
    # File systems count bytes: a name of 80 Chinese characters has 240 of them.
    shown = os.fsencode(folder.name.lstrip("."))[:80].decode("utf-8", "ignore")
    return folder.parent / f".{shown}.torchdoctor-{mark}-{purpose}"


def new_staging_path(folder: Path, purpose: str) -> Path:
    """Return a staging path for one run, under a name that nobody can know before."""
    return staging_path(folder, f"{purpose}-{secrets.token_hex(8)}")


@contextlib.contextmanager
def exclusive_install_lock(folder: Path, lock_dir: Path) -> Iterator[None]:
    """Hold the lock of `folder` in `lock_dir`; raises `InstallFailed` at once when another install holds it."""
    make_own_folder(lock_dir, below=lock_dir.parent)
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    lock = FileLock(lock_dir / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise _busy(folder) from error
    try:
        yield
    finally:
        lock.release()


def _busy(folder: Path) -> InstallFailed:
    return InstallFailed(
        message("another torchdoctor is installing into {folder}", folder=folder),
        fix=message("wait until it is done"),
        code="busy",
    )


def recover_environment(folder: Path, lock_dir: Path) -> None:
    """Clear what a killed run of this user left: the old environment comes back if the new one did not take its place.

    Raises `InstallFailed` when another run is at work there, or the system refuses.
    """
    if not _leftovers(folder, "") and not (folder / in_place.UNDO_FOLDER).is_dir():
        return
    try:
        with exclusive_install_lock(folder, lock_dir):
            clear_leftovers(folder)
    except OSError as error:
        raise InstallFailed(
            message(
                "what an interrupted run left at {folder} cannot be cleared: {strerror}",
                folder=folder,
                strerror=error.strerror or error,
            ),
            fix=message("check that the folder can be written to, and run the command again"),
        ) from error


def _leftovers(folder: Path, purpose: str) -> list[Path]:
    """Return the folders that runs of this user left next to the folder, the oldest first.

    Whoever can write there may put one with a Python in it under such a name, or a link; it is then his.
    """
    names = f"{glob.escape(staging_path(folder, purpose).name)}*"
    found = [path for path in folder.parent.glob(names) if is_own(path) and not path.is_symlink()]
    return sorted((path for path in found if path.is_dir()), key=lambda path: path.lstat().st_ctime)


def clear_leftovers(folder: Path) -> None:
    """Do what `recover_environment` does, for a caller that holds the install lock.

    Raises `InstallFailed` when a run with another cache is at work there, and `OSError`.
    """
    stages = _leftovers(folder, "new")
    # A run with another cache keeps its locks there: ours do not stop it.
    if any(map(is_locked_by_other, (folder, *stages))):
        raise _busy(folder)
    in_place.undo_change(folder)
    old = _leftovers(folder, "old")
    if old and not os.path.lexists(folder):
        old.pop().rename(folder)
    for stage in (*old, *stages):
        # A process that outlived its parent may still write there; the next run removes the rest.
        shutil.rmtree(stage, ignore_errors=True)


def move_into_place(stage: Path, folder: Path, kind: LocationKind) -> None:
    """Rename `stage` to `folder` in one step and remove what was there; `kind` says what that is."""
    if kind != "venv":
        if kind == "empty" and sys.platform == "win32":
            # Other systems let a rename replace an empty folder.
            folder.rmdir()
        stage.rename(folder)
    elif not swap_directories(stage, folder):
        old = new_staging_path(folder, "old")
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
    """Convert `OSError` to `InstallFailed`, and what Python says of folders that lie too deep to be walked through."""
    try:
        yield
    except RecursionError as error:
        raise InstallFailed(
            message("{folder} has folders that lie too deep to be copied or removed", folder=folder),
            fix=message("remove them, or name another folder: torchdoctor install ENV"),
        ) from error
    except OSError as error:
        raise InstallFailed(
            message(
                "{folder} could not be created: {why}{where}",
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
