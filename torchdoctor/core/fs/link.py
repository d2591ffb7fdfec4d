"""One file under two names, without a second copy where the file system can do that."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["link_or_copy", "symlink_or_copy"]


def link_or_copy(source: str | Path, target: str | Path, *, follow_symlinks: bool = False) -> None:
    """Make `target` a hard link of `source`, or a copy with its times and rights where it cannot be one.

    A symbolic link is linked or copied as a link, or with `follow_symlinks` as the file that it leads to.
    Raises `FileExistsError` where `target` exists, and `OSError` where neither can be made.
    """
    try:
        real = os.path.realpath(source) if follow_symlinks else source
        os.link(real, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        shutil.copy2(source, target, follow_symlinks=follow_symlinks)


def symlink_or_copy(source: Path, target: Path) -> None:
    """Make `target` a symbolic link to `source`, else a hard link, else a copy.

    Windows asks for a privilege to make symbolic links. Raises `FileExistsError` where `target` exists, and `OSError`
    where none can be made.
    """
    try:
        target.symlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        link_or_copy(source, target, follow_symlinks=True)
