"""Puts single files of packages back, in a copy of the environment that is checked before it is swapped in."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs import hold_folder_lock, sync_tree
from torchdoctor.fetch import Wheelhouse
from torchdoctor.install import in_place
from torchdoctor.install.build import copy_environment
from torchdoctor.install.location import inspect_location, must_change_in_place
from torchdoctor.install.ownership import restore_owner
from torchdoctor.install.staging import (
    check_space,
    clear_leftovers,
    exclusive_install_lock,
    move_into_place,
    os_errors_as_install_failed,
    staging_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["MendedFile", "mend_files"]

_CANNOT_MOVE = frozenset({errno.EBUSY, errno.EXDEV})


@dataclass(frozen=True, kw_only=True, slots=True)
class MendedFile:
    """One file: where it belongs below the environment, and the file with its content."""

    path: str
    source: Path
    executable: bool = False


def mend_files(
    folder: Path,
    site_packages: Sequence[Path],
    files: Sequence[MendedFile],
    lock_dir: Path,
    prove: Callable[[Path], None],
) -> None:
    """Put the files into the environment at `folder` in one step; `prove` gets it, or its copy, before that.

    An environment that cannot be replaced is changed where it is, and back when `prove` raises. Raises
    `InstallFailed`, with the environment as it was before.
    """
    kind = inspect_location(folder)
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, lock_dir):
        clear_leftovers(folder)
        check_space(sum(each.source.stat().st_size for each in files), folder.parent)
        if must_change_in_place(folder, kind):
            _mend_in_place(folder, site_packages, files, prove)
            return
        try:
            _mend_copy(folder, files, prove)
        except OSError as error:
            if error.errno not in _CANNOT_MOVE:
                raise
            _mend_in_place(folder, site_packages, files, prove)


def _mend_copy(folder: Path, files: Sequence[MendedFile], prove: Callable[[Path], None]) -> None:
    stage = staging_path(folder, f"new-{os.getpid()}")
    try:
        stage.mkdir()
        with hold_folder_lock(stage):
            copy_environment(folder, stage)
            for each in files:
                _put(stage, each)
            restore_owner(stage, folder)
            prove(stage)
            sync_tree(stage)
            move_into_place(stage, folder, "venv")
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _mend_in_place(
    folder: Path, site_packages: Sequence[Path], files: Sequence[MendedFile], prove: Callable[[Path], None]
) -> None:
    with hold_folder_lock(folder):
        paths = [each.path for each in files]
        in_place.begin_change(folder, site_packages, Wheelhouse(wheels=()), paths)
        try:
            for each in files:
                _put(folder, each)
            restore_owner(folder, folder)
            prove(folder)
        except BaseException:
            in_place.undo_change(folder)
            raise
        in_place.end_change(folder)


def _put(stage: Path, file: MendedFile) -> None:
    """Replace the file, of which the old one may be a hard link that others share, and forget its bytecode."""
    target = stage / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name[:200]}.torchdoctor")
    shutil.copyfile(file.source, part)
    part.chmod(0o755 if file.executable else 0o644)
    part.replace(target)
    if target.suffix == ".py":
        for compiled in (target.parent / "__pycache__").glob(f"{target.stem}.*.pyc"):
            compiled.unlink(missing_ok=True)
