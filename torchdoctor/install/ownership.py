"""Keeps an environment its owner's when an administrator changes it for that user."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["foreign_owner", "restore_owner"]


def foreign_owner(folder: Path) -> os.stat_result | None:
    """Return the status of `folder` when root is about to change another user's environment, else None."""
    if sys.platform == "win32" or os.geteuid() != 0 or not folder.exists():
        return None
    status = folder.stat()
    return status if status.st_uid != 0 else None


def restore_owner(stage: Path, folder: Path) -> None:
    """Give every file that root has created in `stage` to the owner of the environment at `folder`."""
    owner = foreign_owner(folder)
    if sys.platform == "win32" or owner is None:
        return
    for place, folders, files in os.walk(stage):
        for path in (place, *(os.path.join(place, name) for name in (*folders, *files))):  # noqa: PTH118
            if os.lstat(path).st_uid == 0:
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
