"""Checks that a folder may hold a bundle, and that the bundle fits on its disk."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from torchdoctor.bundle.model import DESCRIPTION, OWN_FILES
from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import SourceFailed, UsageError
from torchdoctor.install.location import unwritable_ancestor

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse

__all__ = ["check_bundle_folder", "check_bundle_space"]


def check_bundle_folder(folder: Path) -> None:
    """Raise `UsageError` for a folder that is not writable or holds something else than a bundle."""
    try:
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
        _refuse_unwritable(folder)
    except OSError as error:
        raise UsageError(
            message("{folder} cannot be used: {strerror}", folder=folder, strerror=error.strerror),
            fix=message("name another folder"),
        ) from error
    # All that a run leaves that was killed while it wrote the description.
    names = {name for name in names if not (DESCRIPTION in name and name.endswith(".part"))}
    foreign = [name for name in names - OWN_FILES if not name.endswith((".whl", ".part"))]
    if names and (DESCRIPTION not in names or foreign):
        raise UsageError(
            message(
                "{folder} is not empty, and holds more than a bundle of torchdoctor: {names}",
                folder=folder,
                names=joined(sorted(names)[:3]),
            ),
            fix=message("name a folder that is empty or does not exist yet"),
            code="not-a-bundle",
        )


def _refuse_unwritable(folder: Path) -> None:
    path = unwritable_ancestor(folder)
    if path is not None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def check_bundle_space(folder: Path, wheelhouse: Wheelhouse) -> None:
    """Raise `SourceFailed` when the wheels do not fit, before an older bundle in the folder is changed."""
    wanted = {fetched.wheel.filename for fetched in wheelhouse.wheels}
    existing = {path.name: path.stat().st_size for path in folder.glob("*.whl")}
    device = folder.stat().st_dev
    # On the disk of the cache wheels are hard links.
    needed = sum(
        fetched.size
        for fetched in wheelhouse.wheels
        if fetched.wheel.filename not in existing and fetched.path.stat().st_dev != device
    )
    removed = sum(size for name, size in existing.items() if name not in wanted)
    free = shutil.disk_usage(folder).free + removed
    if needed > free:
        raise SourceFailed(
            message(
                "the files need {needed:.1f} GB and {folder} has {free:.1f} GB free",
                needed=needed / 1e9,
                folder=folder,
                free=free / 1e9,
            ),
            fix=message("free space there, or name another folder; what was fetched is kept"),
            code="no-space",
        )
