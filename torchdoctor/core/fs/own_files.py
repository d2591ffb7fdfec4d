"""Folders and files that are this user's alone: what others made, linked or can change is refused, with the reason."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from io import FileIO

__all__ = ["NotOwn", "create_own_file", "is_foreign", "is_own", "make_own_folder", "open_own_file"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_FLAGS = 0
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC", "O_NOCTTY"):
    _FLAGS |= getattr(os, _name, 0)


class NotOwn(PermissionError):
    """A folder or file in the place of ours is another user's, or a link; `strerror` says which."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(errno.EPERM, reason, str(path))


def make_own_folder(path: Path, *, below: Path) -> None:
    """Make `path` and each folder between it and `below`, itself among them, where they are missing: for us alone.

    One of ours that others may write to is closed to them; `below` itself may be a link of ours. Raises `NotOwn` for
    another link, and for a folder of another user, who could exchange what is put there at any time; `OSError` where
    none can be made.
    """
    folder = below
    if is_own(below) and below.is_symlink():
        folder = Path(os.path.realpath(below))
    folder.parent.mkdir(parents=True, exist_ok=True)
    for part in ("", *path.relative_to(below).parts):
        folder /= part
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            _refuse_foreign_folder(folder)


def is_own(path: Path) -> bool:
    """Whether the file, folder or link itself is there and this user's own."""
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return False
    return sys.platform == "win32" or status.st_uid == os.geteuid()


def is_foreign(path: Path) -> bool:
    """Whether the file, or what a link leads to, belongs to a user who is neither this one nor the administrator."""
    try:
        owner = path.stat().st_uid
    except (OSError, ValueError):
        return False
    return sys.platform != "win32" and owner not in (0, os.geteuid())


def _refuse_foreign_folder(folder: Path) -> None:
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) or _is_junction(status):
        raise NotOwn(message("{path} is a link", path=folder), folder)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if sys.platform == "win32":
        return
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.geteuid():
        if mode & _OTHERS_WRITE:
            folder.chmod(mode & ~_OTHERS_WRITE)
    elif status.st_uid != 0 or (mode & _OTHERS_WRITE and not mode & stat.S_ISVTX):
        raise NotOwn(
            message("{path} belongs to another user ({uid})", path=folder, uid=status.st_uid)
            if status.st_uid
            else message("others can write to {path}", path=folder),
            folder,
        )


def _is_junction(status: os.stat_result) -> bool:
    """Whether it is a link of Windows that is no symbolic one."""
    return bool(getattr(status, "st_reparse_tag", 0) == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1))


def create_own_file(path: Path) -> FileIO:
    """Make a new file that only this user can read, and open it for reading and writing, unbuffered.

    What was there is removed: a link goes, and what it led to stays as it is. Raises `OSError`.
    """
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600), "r+b", buffering=0)


def open_own_file(path: Path) -> FileIO:
    """Open a file that this user has made, for reading and writing, unbuffered.

    Raises `NotOwn` for one of another user, one with a second name elsewhere, and what is no file; `OSError` for a link
    or where there is none.
    """
    file = os.fdopen(os.open(path, os.O_RDWR | _FLAGS), "r+b", buffering=0)
    try:
        _refuse_foreign_file(os.fstat(file.fileno()), path)
    except BaseException:
        file.close()
        raise
    return file


def _refuse_foreign_file(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotOwn(message("{path} is not a file", path=path), path)
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise NotOwn(message("{path} belongs to another user ({uid})", path=path, uid=status.st_uid), path)
    if status.st_nlink != 1:
        raise NotOwn(message("{path} is the same file as another one", path=path), path)
