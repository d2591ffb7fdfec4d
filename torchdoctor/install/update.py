"""Updates an existing environment atomically: it is either the old or the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.install import in_place
from torchdoctor.install.build import remove_packages
from torchdoctor.install.changed_meanwhile import refuse_changed_environment
from torchdoctor.install.conflicts import (
    dependency_conflicts,
    refuse_foreign_companions,
    refuse_new_conflicts,
)
from torchdoctor.install.environment_change import EnvironmentChange, change_environment
from torchdoctor.install.hold.write import change_hold, hold_files
from torchdoctor.install.installed_files import files_that_stay
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.model import Environment
from torchdoctor.install.ownership import restore_owner
from torchdoctor.install.record import RECORD, record_install
from torchdoctor.install.shared_files import release_shared_files
from torchdoctor.install.unpack import StreamingUnpacker
from torchdoctor.install.wheels import validate_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.install.installed_files import InstalledFiles
    from torchdoctor.install.model import InstallContext

__all__ = ["update_environment"]


def update_environment(wheelhouse: Wheelhouse, folder: Path, context: InstallContext) -> Environment:
    """Install the wheels into the existing environment at `folder` in one step; its other packages stay.

    A copy of it (hard links) is changed and swapped with it. An environment that cannot be replaced is changed where it
    is, and changed back when that fails. Raises `InstallFailed`, with the environment as it was before.
    """

    def remember() -> None:
        others = (RECORD, *hold_files(folder))
        in_place.begin_change(
            folder, context.site_packages_in(folder), wheelhouse, others, removed=context.remove
        )

    change = EnvironmentChange(
        size=lambda: validate_wheels(wheelhouse, _staying(wheelhouse, folder, context)),
        apply=lambda stage: _install(stage, folder, wheelhouse, context),
        remember=remember,
    )
    change_environment(folder, context.lock_dir, change)
    return Environment(folder=folder, python=interpreter_of(folder), created=False)


def _staying(wheelhouse: Wheelhouse, folder: Path, context: InstallContext) -> Iterator[InstalledFiles]:
    leaving = {*context.remove, *(fetched.wheel.name for fetched in wheelhouse.wheels)}
    return files_that_stay(folder, context.site_packages_in(folder), leaving)


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
        in_place=stage == folder,
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
