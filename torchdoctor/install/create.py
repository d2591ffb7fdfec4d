"""Builds a new environment in a sibling directory while wheels download, then renames it into place."""

from __future__ import annotations

import contextlib
import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.fs import hold_folder_lock, sync_tree
from torchdoctor.core.system.environment_trust import trust_environment
from torchdoctor.core.wheelfile import FileOwners, validate_wheel, wheel_files
from torchdoctor.errors import InstallFailed
from torchdoctor.install.build import create_empty_environment
from torchdoctor.install.hold.write import change_hold
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.model import Environment
from torchdoctor.install.record import record_install
from torchdoctor.install.staging import (
    check_space,
    clear_leftovers,
    exclusive_install_lock,
    move_into_place,
    new_staging_path,
    os_errors_as_install_failed,
)
from torchdoctor.install.unpack import StreamingUnpacker
from torchdoctor.install.wheels import refuse_false_sizes, validate_wheels
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from torchdoctor.fetch import FetchedWheel, Wheelhouse
    from torchdoctor.install.location import LocationKind
    from torchdoctor.install.model import InstallContext
    from torchdoctor.resolve import Plan

__all__ = ["EnvironmentBuilder", "create_environment"]


@contextlib.contextmanager
def create_environment(
    folder: Path, kind: LocationKind, context: InstallContext
) -> Iterator[EnvironmentBuilder]:
    """Give a builder of a new environment at `folder`, where `kind` says what is there now.

    Wheels may be added while others still download. Unless its `finish` is called, nothing is left of the environment.
    """
    builder = EnvironmentBuilder(folder, kind, context)
    try:
        yield builder
    finally:
        builder.close()


class EnvironmentBuilder:
    """A new environment that is built in a sibling of its folder; see `create_environment`."""

    def __init__(self, folder: Path, kind: LocationKind, context: InstallContext) -> None:
        self._folder, self._kind, self._context = folder, kind, context
        self._stage = new_staging_path(folder, "new")
        self._stack = contextlib.ExitStack()
        self._unpacker: StreamingUnpacker | None = None
        self._owners = FileOwners(TORCH_PROJECTS)
        self._adding = threading.Lock()

    def start(self) -> StreamingUnpacker:
        """Lock the folder, clear what a killed run left and begin to create the empty environment; done once.

        Raises `InstallFailed` when another run is at work there.
        """
        if self._unpacker is not None:
            return self._unpacker
        folder, stage, context = self._folder, self._stage, self._context
        with os_errors_as_install_failed(folder):
            self._stack.enter_context(exclusive_install_lock(folder, context.lock_dir))
            clear_leftovers(folder)
            self._stack.callback(shutil.rmtree, stage, ignore_errors=True)
            stage.mkdir()
            # Made here; it lies in a folder that the user named, whoever can write there.
            for made in (stage, folder):
                trust_environment(made)
            self._stack.enter_context(hold_folder_lock(stage))
        self._unpacker = StreamingUnpacker(
            stage,
            context.run_dir,
            context.environ,
            prepare=lambda: create_empty_environment(
                stage, prompt=folder.name, python=context.python.executable, environ=context.environ
            ),
        )
        self._stack.callback(self._unpacker.close)
        return self._unpacker

    def add(self, wheel: FetchedWheel) -> None:
        """Validate a wheel and have it unpacked; after `start` any thread may call it. Raises `InstallFailed`.

        One that has a file of another wheel waits for `finish`: it may be that one of the two is left out meanwhile.
        """
        unpacker = self._unpacker
        if unpacker is None:
            return
        with os_errors_as_install_failed(self._folder):
            refuse_false_sizes(wheel)
        with os_errors_as_install_failed(self._folder), self._adding:
            self._check_space((*unpacker.pending(), wheel))
            try:
                self._owners.add(wheel_files(wheel.wheel.name, wheel.path))
            except InstallFailed:
                return
        unpacker.add(wheel)

    def finish(self, wheelhouse: Wheelhouse, plan: Plan | None) -> Environment:
        """Wait until all wheels are installed, verified and on the disk, and rename the environment into place.

        `plan` goes into its record. Raises `InstallFailed`.
        """
        folder, stage = self._folder, self._stage
        with os_errors_as_install_failed(folder):
            validate_wheels(wheelhouse)
            if self._unpacker is not None and self._unpacker.has_others_than(wheelhouse):
                # A companion of another build was left out meanwhile; packages that only it needs are unpacked already.
                self.close()
            unpacker = self.start()
            self._check_space(unpacker.pending(wheelhouse))
            unpacker.finish(wheelhouse, self._context.on_wait)
            if self._context.hold is not None and plan is not None:
                change_hold(stage, folder, self._context.hold(plan))
            record_install(stage, folder, wheelhouse, replace(self._context, plan=plan))
            sync_tree(stage)
            move_into_place(stage, folder, self._kind)
        return Environment(folder=folder, python=interpreter_of(folder), created=True)

    def close(self) -> None:
        """Stop what is at work, and remove the environment if it is not in its place."""
        self._unpacker = None
        self._owners = FileOwners(TORCH_PROJECTS)
        self._stack.close()

    def _check_space(self, wheels: Iterable[FetchedWheel]) -> None:
        unpacked = sum(validate_wheel(fetched.path, fetched.wheel.filename) for fetched in wheels)
        check_space(unpacked, self._folder.parent)
