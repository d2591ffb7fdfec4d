"""Says of a folder that a living process is at work in it; the system takes that back when the process ends."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hold_folder_lock", "is_locked_by_other", "locks_to_inherit"]

_INHERITED: set[int] = set()


@contextlib.contextmanager
def hold_folder_lock(folder: Path, *, inherited: bool = False) -> Iterator[bool]:
    """Hold the folder meanwhile; gives False when another process holds it, and True otherwise.

    Where folders cannot be locked (Windows, some network disks) nothing is held. `inherited`: a process that is given
    `locks_to_inherit` holds it too, so that it stays held while one at work there outlives this one.
    """
    handle = _lock(folder)
    try:
        if isinstance(handle, int) and inherited:
            _INHERITED.add(handle)
        yield handle != "held"
    finally:
        if isinstance(handle, int):
            _INHERITED.discard(handle)
            os.close(handle)


def locks_to_inherit() -> tuple[int, ...]:
    """Return the file descriptors of the locks that processes at work in those folders are to hold as well."""
    return tuple(_INHERITED)


def is_locked_by_other(folder: Path) -> bool:
    """Whether somebody, who may have another cache or be another user, holds the folder."""
    handle = _lock(folder)
    if isinstance(handle, int):
        os.close(handle)
    return handle == "held"


def _lock(folder: Path) -> int | str | None:
    """An open lock, "held" by somebody else, or None where it cannot be told."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        return "held" if isinstance(error, BlockingIOError) else None
    return handle
