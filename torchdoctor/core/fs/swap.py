"""Puts one folder in the place of another in a single step, and sees to it that what is there is on the disk."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["swap_directories", "sync_directory", "sync_filesystem", "syncing_filesystem"]

# https://man7.org/linux/man-pages/man2/rename.2.html
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# https://opensource.apple.com/source/xnu/xnu-4903.221.2/bsd/man/man2/rename.2.auto.html
_RENAME_SWAP = 2

_FLUSH_SECONDS = 1.0

# What a kernel, C library or file system answers that cannot do it.
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def swap_directories(one: Path, other: Path) -> bool:
    """Swap two folders of one file system, so that at no instant either name is without a folder.

    False, with nothing changed, where this system cannot do that. Raises `OSError` as a rename does.
    """
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            status = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
        elif sys.platform == "darwin":
            status = library.renamex_np(*names, _RENAME_SWAP)
        else:
            return False
    except (AttributeError, OSError, TypeError):
        return False
    if status == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(other))


def sync_filesystem(folder: Path) -> None:
    """Wait until everything on the folder's file system is on the disk, so that a rename after it cannot come first.

    https://man7.org/linux/man-pages/man2/sync.2.html: one syncfs is far quicker than an fsync of each of 20,000 files.
    """
    if sys.platform == "win32":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        ctypes.CDLL(None, use_errno=True).syncfs(handle)
    except (AttributeError, OSError):
        os.sync()
    finally:
        os.close(handle)


@contextlib.contextmanager
def syncing_filesystem(folder: Path) -> Iterator[None]:
    """Flush now and then while others write there, so that little is left for the `sync_filesystem` at the end."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(_FLUSH_SECONDS):
            sync_filesystem(folder)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


def sync_directory(folder: Path) -> None:
    """Wait until the names in this folder are on the disk: what a rename changed."""
    if sys.platform == "win32":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems do not let a folder be flushed.
        pass
    finally:
        os.close(handle)
