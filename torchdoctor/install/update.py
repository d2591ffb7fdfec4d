"""Wheelhouse -> Environment: one that is there is changed, and is the old one or the new one, never half of each."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.fs.folder_lock import claim
from torchdoctor.core.fs.swap import flush
from torchdoctor.core.i18n.messages import message
from torchdoctor.core.wheelfile.validation import check_wheel, refuse_shared_files
from torchdoctor.errors import InstallFailed
from torchdoctor.install import in_place
from torchdoctor.install.build import check_together, complaints, keep_owner, make, other_owner
from torchdoctor.install.location import changed_in_place, examine, interpreter_of, unwritable_above
from torchdoctor.install.record import changes_of, write_record
from torchdoctor.install.staging import alone, beside, check_space, clear, swap, told
from torchdoctor.install.unpack import Filling
from torchdoctor.resolve.model import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.fetch.wheelhouse import Wheelhouse
    from torchdoctor.install.location import State
    from torchdoctor.resolve.model import Plan

__all__ = ["Environment", "Work", "change", "check_wheels", "refuse_unwritable", "write_down"]


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
class Work:
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


def change(wheelhouse: Wheelhouse, folder: Path, work: Work) -> Environment:
    """Change an environment that is there, in one step.

    It is copied beside `folder` (hard links), changed and exchanged, so its other packages stay. One that cannot be
    put aside is changed where it is, and changed back when that fails. Raises `InstallFailed`, with what was there
    before untouched.
    """
    state = examine(folder)
    with told(folder), alone(folder, work.locks):
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


def refuse_unwritable(folder: Path, state: State) -> None:
    """Raise `InstallFailed` where nothing can be made or changed, before gigabytes are fetched for it."""
    place = unwritable_above(folder if changed_in_place(folder, state) else folder.parent)
    if place is not None:
        raise InstallFailed(
            message("{folder} could not be made: {place} cannot be written to", folder=folder, place=place),
            fix=message("name another folder: torchdoctor install ENV"),
        )


def _change_beside(folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
    stage = beside(folder, f"new-{os.getpid()}")
    try:
        stage.mkdir()
        with claim(stage):
            make(stage, folder, "venv", work.python, work.environ)
            _fill(stage, folder, wheelhouse, work)
            before = complaints(folder, work.work, work.environ)
            check_together(stage, before, folder, work.work, work.environ)
            write_down(stage, folder, wheelhouse, work)
            keep_owner(stage, folder)
            flush(stage)
            swap(stage, folder, "venv")
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _change_in_place(folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
    before = complaints(folder, work.work, work.environ)
    with claim(folder):
        in_place.begin(folder, wheelhouse)
        try:
            _fill(folder, folder, wheelhouse, work)
            check_together(folder, before, folder, work.work, work.environ)
            write_down(folder, folder, wheelhouse, work)
            keep_owner(folder, folder)
        except BaseException:
            in_place.undo(folder)
            raise
        in_place.end(folder)


def _fill(stage: Path, folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
    copied = other_owner(folder) is not None
    filling = Filling(stage, work.work, work.environ, reinstall=work.reinstall, copied=copied)
    try:
        filling.finish(wheelhouse, work.on_wait)
    finally:
        filling.close()


def write_down(stage: Path, folder: Path, wheelhouse: Wheelhouse, work: Work) -> None:
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
    unpacked = sum(check_wheel(row.path, row.wheel.filename) for row in wheelhouse.wheels)
    refuse_shared_files({row.wheel.name: row.path for row in wheelhouse.wheels}, ("torch", *COMPANIONS))
    return unpacked
