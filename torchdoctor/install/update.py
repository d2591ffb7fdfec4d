"""Wheelhouse -> Environment: one that is there is changed, and is the old one or the new one, never half of each."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.fs.folder_lock import hold_folder_lock
from torchdoctor.core.fs.swap import sync_filesystem
from torchdoctor.core.i18n.messages import message
from torchdoctor.core.wheelfile.validation import check_file_conflicts, validate_wheel
from torchdoctor.errors import InstallFailed
from torchdoctor.install import in_place
from torchdoctor.install.build import (
    dependency_conflicts,
    keep_owner,
    make,
    other_owner,
    refuse_new_conflicts,
)
from torchdoctor.install.location import changed_in_place, inspect_location, interpreter_of, unwritable_above
from torchdoctor.install.record import changes_of, write_record
from torchdoctor.install.staging import (
    check_space,
    clear,
    exclusive_install_lock,
    os_errors_as_install_failed,
    staging_path,
    swap,
)
from torchdoctor.install.unpack import StreamingUnpacker
from torchdoctor.resolve.model import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.fetch.wheelhouse import Wheelhouse
    from torchdoctor.install.location import LocationKind
    from torchdoctor.resolve.model import Plan

__all__ = [
    "Environment",
    "InstallContext",
    "check_wheels",
    "record_install",
    "refuse_unwritable",
    "update_environment",
]


# A mount that shows the same file system again, and a folder of a container's image: they look like any other folder
# until they are renamed.
_CANNOT_MOVE = frozenset({errno.EBUSY, errno.EXDEV})


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """An environment: its folder and its interpreter."""

    folder: Path
    python: Path
    created: bool

    @property
    def activate(self) -> str:
        """What a person types to use it."""
        if (self.folder / "conda-meta").is_dir():
            return f"conda activate {shlex.quote(str(self.folder))}"
        if sys.platform == "win32":
            return str(self.folder / "Scripts" / "activate")
        return f"source {shlex.quote(str(self.folder / 'bin' / 'activate'))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallContext:
    """With what an environment is made: the interpreter of a new one, folders of our own, what is installed already.

    `plan` goes into the environment's record; `installed` maps names to versions.
    """

    python: Path
    work: Path
    locks: Path
    environ: Mapping[str, str]
    plan: Plan | None = None
    installed: Mapping[str, str] = field(default_factory=dict)
    reinstall: frozenset[str] = frozenset()
    on_wait: Callable[[float], None] | None = None


def update_environment(wheelhouse: Wheelhouse, folder: Path, work: InstallContext) -> Environment:
    """Change an environment that is there, in one step.

    It is copied beside `folder` (hard links), changed and exchanged, so its other packages stay. One that cannot be
    put aside is changed where it is, and changed back when that fails. Raises `InstallFailed`, with what was there
    before untouched.
    """
    state = inspect_location(folder)
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, work.locks):
        clear(folder)
        unpacked = check_wheels(wheelhouse)
        if changed_in_place(folder, state):
            check_space(unpacked, folder)
            _change_in_place(folder, wheelhouse, work)
        else:
            check_space(unpacked, folder.parent)
            try:
                _change_beside(folder, wheelhouse, work)
            except OSError as error:
                if error.errno not in _CANNOT_MOVE:
                    raise
                _change_in_place(folder, wheelhouse, work)
    return Environment(folder=folder, python=interpreter_of(folder), created=False)


def refuse_unwritable(folder: Path, state: LocationKind) -> None:
    """Raise `InstallFailed` where nothing can be made or changed, before gigabytes are fetched for it."""
    place = unwritable_above(folder if changed_in_place(folder, state) else folder.parent)
    if place is not None:
        raise InstallFailed(
            message("{folder} could not be made: {place} cannot be written to", folder=folder, place=place),
            fix=message("name another folder: torchdoctor install ENV"),
        )


def _change_beside(folder: Path, wheelhouse: Wheelhouse, work: InstallContext) -> None:
    stage = staging_path(folder, f"new-{os.getpid()}")
    try:
        stage.mkdir()
        with hold_folder_lock(stage):
            make(stage, folder, "venv", work.python, work.environ)
            _fill(stage, folder, wheelhouse, work)
            before = dependency_conflicts(folder, work.work, work.environ)
            refuse_new_conflicts(stage, before, folder, work.work, work.environ)
            record_install(stage, folder, wheelhouse, work)
            keep_owner(stage, folder)
            sync_filesystem(stage)
            swap(stage, folder, "venv")
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _change_in_place(folder: Path, wheelhouse: Wheelhouse, work: InstallContext) -> None:
    before = dependency_conflicts(folder, work.work, work.environ)
    with hold_folder_lock(folder):
        in_place.begin(folder, wheelhouse)
        try:
            _fill(folder, folder, wheelhouse, work)
            refuse_new_conflicts(folder, before, folder, work.work, work.environ)
            record_install(folder, folder, wheelhouse, work)
            keep_owner(folder, folder)
        except BaseException:
            in_place.undo(folder)
            raise
        in_place.end(folder)


def _fill(stage: Path, folder: Path, wheelhouse: Wheelhouse, work: InstallContext) -> None:
    copied = other_owner(folder) is not None
    filling = StreamingUnpacker(stage, work.work, work.environ, reinstall=work.reinstall, copied=copied)
    try:
        filling.finish(wheelhouse, work.on_wait)
    finally:
        filling.close()


def record_install(stage: Path, folder: Path, wheelhouse: Wheelhouse, work: InstallContext) -> None:
    """Write the record of what was done into the environment at `stage`, after those of the one at `folder`."""
    after = {row.wheel.name: row.wheel.version for row in wheelhouse.wheels}
    write_record(
        stage,
        before=folder,
        plan=work.plan,
        wheelhouse=wheelhouse,
        changes=changes_of(work.installed, after),
    )


def check_wheels(wheelhouse: Wheelhouse) -> int:
    """The bytes that all wheels unpack to, once each is known to be one that may be unpacked."""
    unpacked = sum(validate_wheel(row.path, row.wheel.filename) for row in wheelhouse.wheels)
    check_file_conflicts({row.wheel.name: row.path for row in wheelhouse.wheels}, ("torch", *COMPANIONS))
    return unpacked
