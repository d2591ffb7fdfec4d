"""Changes an environment in one step: it is either the old or the new one, whatever goes wrong."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs import hold_folder_lock, sync_tree
from torchdoctor.core.system.environment_trust import trust_environment
from torchdoctor.install import in_place
from torchdoctor.install.build import copy_environment
from torchdoctor.install.location import inspect_location, must_change_in_place
from torchdoctor.install.staging import (
    check_space,
    clear_leftovers,
    exclusive_install_lock,
    move_into_place,
    new_staging_path,
    os_errors_as_install_failed,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["EnvironmentChange", "change_environment"]

# A bind mount on the same file system, and a folder of a container's image, look like any other folder until they are
# renamed.
_CANNOT_MOVE = frozenset({errno.EBUSY, errno.EXDEV})


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentChange:
    """What is done to an environment."""

    size: Callable[[], int]  # the bytes that it takes; what it rests on is checked here
    apply: Callable[[Path], None]  # to the environment, or to a copy of it
    remember: Callable[[], None]  # what `apply` changes, where it is changed in place


def change_environment(folder: Path, lock_dir: Path, change: EnvironmentChange) -> None:
    """Apply the change to a copy of the environment at `folder` (hard links), and swap the two.

    An environment that cannot be replaced is changed where it is, and back when `apply` raises. Raises `InstallFailed`,
    with the environment as it was before.
    """
    kind = inspect_location(folder)
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, lock_dir):
        clear_leftovers(folder)
        size = change.size()
        if must_change_in_place(folder, kind):
            check_space(size, folder)
            _change_in_place(folder, change)
            return
        check_space(size, folder.parent)
        try:
            _change_copy(folder, change)
        except OSError as error:
            if error.errno not in _CANNOT_MOVE:
                raise
            _change_in_place(folder, change)


def _change_copy(folder: Path, change: EnvironmentChange) -> None:
    stage = new_staging_path(folder, "new")
    try:
        stage.mkdir()
        trust_environment(stage)
        with hold_folder_lock(stage):
            copy_environment(folder, stage)
            change.apply(stage)
            sync_tree(stage)
            move_into_place(stage, folder, "venv")
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _change_in_place(folder: Path, change: EnvironmentChange) -> None:
    # uv may outlive this process, and must be done before another one undoes the change.
    with hold_folder_lock(folder, inherited=True):
        change.remember()
        try:
            change.apply(folder)
        except BaseException:
            in_place.undo_change(folder)
            raise
        in_place.end_change(folder)
