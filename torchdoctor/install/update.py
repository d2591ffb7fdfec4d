"""Updates an existing environment atomically: it is either the old or the new one."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from torchdoctor.core.fs import hold_folder_lock, sync_tree
from torchdoctor.install import in_place
from torchdoctor.install.build import copy_environment, remove_packages
from torchdoctor.install.changed_meanwhile import refuse_changed_environment
from torchdoctor.install.conflicts import (
    dependency_conflicts,
    refuse_foreign_companions,
    refuse_new_conflicts,
)
from torchdoctor.install.hold.write import change_hold, hold_files
from torchdoctor.install.location import inspect_location, interpreter_of, must_change_in_place
from torchdoctor.install.model import Environment
from torchdoctor.install.ownership import foreign_owner, restore_owner
from torchdoctor.install.record import RECORD, record_install
from torchdoctor.install.shared_files import release_shared_files
from torchdoctor.install.staging import (
    check_space,
    clear_leftovers,
    exclusive_install_lock,
    move_into_place,
    os_errors_as_install_failed,
    staging_path,
)
from torchdoctor.install.unpack import StreamingUnpacker
from torchdoctor.install.wheels import validate_wheels

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install.model import InstallContext

__all__ = ["update_environment"]

# A bind mount on the same file system, and a folder of a container's image, look like any other folder until they are
# renamed.
_CANNOT_MOVE = frozenset({errno.EBUSY, errno.EXDEV})


def update_environment(wheelhouse: Wheelhouse, folder: Path, context: InstallContext) -> Environment:
    """Install the wheels into the existing environment at `folder` in one step; its other packages stay.

    A copy of it (hard links) is changed and swapped with it. An environment that cannot be replaced is changed where it
    is, and changed back when that fails. Raises `InstallFailed`, with the environment as it was before.
    """
    kind = inspect_location(folder)
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, context.lock_dir):
        clear_leftovers(folder)
        unpacked = validate_wheels(wheelhouse)
        if must_change_in_place(folder, kind):
            check_space(unpacked, folder)
            _change_in_place(folder, wheelhouse, context)
        else:
            check_space(unpacked, folder.parent)
            try:
                _change_copy(folder, wheelhouse, context)
            except OSError as error:
                if error.errno not in _CANNOT_MOVE:
                    raise
                _change_in_place(folder, wheelhouse, context)
    return Environment(folder=folder, python=interpreter_of(folder), created=False)


def _change_copy(folder: Path, wheelhouse: Wheelhouse, context: InstallContext) -> None:
    """Change a copy of the environment and swap the two."""
    stage = staging_path(folder, f"new-{os.getpid()}")
    try:
        stage.mkdir()
        with hold_folder_lock(stage):
            copy_environment(folder, stage)
            _install(stage, folder, wheelhouse, context)
            sync_tree(stage)
            move_into_place(stage, folder, "venv")
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _change_in_place(folder: Path, wheelhouse: Wheelhouse, context: InstallContext) -> None:
    with hold_folder_lock(folder):
        others = (RECORD, *hold_files(folder))
        in_place.begin_change(
            folder, context.site_packages_in(folder), wheelhouse, others, removed=context.remove
        )
        try:
            _install(folder, folder, wheelhouse, context)
        except BaseException:
            in_place.undo_change(folder)
            raise
        in_place.end_change(folder)


def _install(stage: Path, folder: Path, wheelhouse: Wheelhouse, context: InstallContext) -> None:
    """Install the wheels into `stage`, which is `folder` or a copy of it, and refuse what would break packages."""
    refuse_changed_environment(context.site_packages_in(folder), context.installed, folder)
    before = dependency_conflicts(folder, context.run_dir, context.environ)
    site_packages = context.site_packages_in(stage)
    release_shared_files(site_packages, {*context.remove, *(each.wheel.name for each in wheelhouse.wheels)})
    if context.remove:
        remove_packages(stage, context.remove, context.run_dir, context.environ)
    unpacker = StreamingUnpacker(
        stage,
        context.run_dir,
        context.environ,
        site_packages=site_packages,
        reinstall=context.reinstall,
        copied=foreign_owner(folder) is not None,
    )
    try:
        unpacker.finish(wheelhouse, context.on_wait)
    finally:
        unpacker.close()
    refuse_foreign_companions(site_packages, folder)
    refuse_new_conflicts(stage, before, folder, context.run_dir, context.environ, context.plan)
    if context.hold is not None and context.plan is not None:
        change_hold(stage, folder, context.hold(context.plan))
    record_install(stage, folder, wheelhouse, context)
    restore_owner(stage, folder)
    if context.prove is not None:
        context.prove(stage)
