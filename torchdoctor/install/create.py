"""A new environment that is made beside its place while its files still arrive, and put there in one step."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs.folder_lock import hold_folder_lock
from torchdoctor.core.fs.swap import sync_filesystem
from torchdoctor.core.wheelfile.validation import validate_wheel
from torchdoctor.install.build import make
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.staging import (
    check_space,
    clear,
    exclusive_install_lock,
    os_errors_as_install_failed,
    staging_path,
    swap,
)
from torchdoctor.install.unpack import StreamingUnpacker
from torchdoctor.install.update import Environment, check_wheels, record_install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.fetch.wheelhouse import Wheelhouse
    from torchdoctor.install.location import LocationKind
    from torchdoctor.install.update import InstallContext
    from torchdoctor.resolve.model import Plan

__all__ = ["EnvironmentBuilder", "building_environment"]


@contextlib.contextmanager
def building_environment(
    folder: Path, state: LocationKind, work: InstallContext
) -> Iterator[EnvironmentBuilder]:
    """A new environment at `folder`, where `state` is, that can be filled while its files still arrive.

    Without its `finish` there is none.
    """
    begun = EnvironmentBuilder(folder, state, work)
    try:
        yield begun
    finally:
        begun.close()


class EnvironmentBuilder:
    """A new environment that is made beside its place; see `building_environment`."""

    def __init__(self, folder: Path, state: LocationKind, work: InstallContext) -> None:
        self._folder, self._state, self._work = folder, state, work
        self._stage = staging_path(folder, f"new-{os.getpid()}")
        self._stack = contextlib.ExitStack()
        self._filling: StreamingUnpacker | None = None

    def start(self) -> StreamingUnpacker:
        """Keep other runs away, clear what one left, and have the empty environment made; done once.

        Raises `InstallFailed` where another run is at work there.
        """
        if self._filling is not None:
            return self._filling
        folder, stage, work = self._folder, self._stage, self._work
        with os_errors_as_install_failed(folder):
            self._stack.enter_context(exclusive_install_lock(folder, work.locks))
            clear(folder)
            self._stack.callback(shutil.rmtree, stage, ignore_errors=True)
            stage.mkdir()
            self._stack.enter_context(hold_folder_lock(stage))
        self._filling = StreamingUnpacker(
            stage,
            work.work,
            work.environ,
            prepare=lambda: make(stage, folder, "new", work.python, work.environ),
        )
        self._stack.callback(self._filling.close)
        return self._filling

    def add(self, wheel: FetchedWheel) -> None:
        """Unpack a file once it is known to be one that may be. May be called from several threads, after `start`."""
        filling = self._filling
        if filling is None:
            return
        waiting = (*filling.pending(), wheel)
        with os_errors_as_install_failed(self._folder):
            unpacked = sum(validate_wheel(row.path, row.wheel.filename) for row in waiting)
            check_space(unpacked, self._folder.parent)
        filling.add(wheel)

    def finish(self, wheelhouse: Wheelhouse, plan: Plan | None) -> Environment:
        """Have all of it there, checked and on the disk, and put it in its place in one step."""
        folder, stage = self._folder, self._stage
        with os_errors_as_install_failed(folder):
            check_wheels(wheelhouse)
            if self._filling is not None and self._filling.has_others_than(wheelhouse):
                # A companion of another build was left out meanwhile, and what only it needs is there.
                self.close()
            filling = self.start()
            waiting = filling.pending(wheelhouse)
            check_space(sum(validate_wheel(row.path, row.wheel.filename) for row in waiting), folder.parent)
            filling.finish(wheelhouse, self._work.on_wait)
            record_install(stage, folder, wheelhouse, replace(self._work, plan=plan))
            sync_filesystem(stage)
            swap(stage, folder, self._state)
        return Environment(folder=folder, python=interpreter_of(folder), created=True)

    def close(self) -> None:
        """Stop what is at work, and clear what did not come to its place."""
        self._filling = None
        self._stack.close()
