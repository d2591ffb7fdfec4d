"""Whether programs may run from a file system: its mount can forbid it with the option noexec."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_noexec"]


def is_noexec(path: Path) -> bool:
    """Return whether the nearest existing one of `path` and the folders above it is mounted so; False if unknown."""
    if not hasattr(os, "ST_NOEXEC"):
        return False
    while not path.exists() and path.parent != path:
        path = path.parent
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return False
