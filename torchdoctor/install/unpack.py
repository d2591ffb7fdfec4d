"""Installs wheels with uv as they finish downloading and compiles their bytecode in parallel."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.threads import start_thread
from torchdoctor.errors import InstallFailed
from torchdoctor.install.build import install_wheels
from torchdoctor.install.bytecode import BytecodeCompiler
from torchdoctor.install.file_check import FileCheck
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.unlisted_files import files_in, unlisted_file
from torchdoctor.install.wheel_layout import files_of_wheel, glob_site_packages
from torchdoctor.install.wheel_queue import WheelQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.fetch import FetchedWheel, Wheelhouse

__all__ = ["StreamingUnpacker"]

_REPORT_INTERVAL_SECONDS = 10.0
_SHUTDOWN_SECONDS = 30.0


class StreamingUnpacker:
    """Fills the environment at `stage` in a thread, until `finish` or `close`.

    `prepare` runs first in that thread, and creates a new environment. `site_packages` are the package folders of an
    existing one. Packages named in `reinstall` are replaced even at the same version. `run_dir` is a temporary
    directory of this run. uv unpacks into a cache that nobody else sees: in `stage`, or in `run_dir` where `stage` is
    changed `in_place`. Its files are the environment's alone once they are there.
    """

    def __init__(
        self,
        stage: Path,
        run_dir: Path,
        environ: Mapping[str, str],
        *,
        prepare: Callable[[], None] | None = None,
        site_packages: Sequence[Path] | None = None,
        reinstall: Collection[str] = (),
        in_place: bool = False,
    ) -> None:
        self._stage, self._run_dir, self._environ = stage, run_dir, environ
        self._prepare, self._site_packages = prepare, site_packages
        self._reinstall = reinstall
        self._cache = (run_dir if in_place else stage) / ".torchdoctor-uv"
        self._check = FileCheck(stage, self._package_folders)
        self._queue = WheelQueue()
        self._stopped = threading.Event()
        self._own: frozenset[str] = frozenset()  # what a new environment has before any wheel is unpacked
        self._failure: BaseException | None = None
        # Until Python 3.12 an interrupted `Thread.join` may return while the thread still runs.
        self._ended = threading.Event()
        self._bytecode = BytecodeCompiler(interpreter_of(stage))
        start_thread(self._unpack_all)

    def add(self, wheel: FetchedWheel) -> None:
        """Have a wheel unpacked, once however often it is added; any thread may call it.

        Raises what unpacking another one raised.
        """
        if self._failure is not None:
            raise self._failure
        self._queue.add((wheel,))

    def pending(self, wheelhouse: Wheelhouse | None = None) -> tuple[FetchedWheel, ...]:
        """Return the wheels that are not unpacked yet, with those of `wheelhouse` that were not added."""
        return self._queue.pending(() if wheelhouse is None else wheelhouse.wheels)

    def has_others_than(self, wheelhouse: Wheelhouse) -> bool:
        """Say whether a wheel was added that is not in `wheelhouse`."""
        return self._queue.has_others_than(wheelhouse.wheels)

    def finish(self, wheelhouse: Wheelhouse, on_wait: Callable[[float], None] | None) -> None:
        """Add the rest of `wheelhouse`, and wait until all is unpacked as its RECORD says, and compiled.

        `on_wait` gets the seconds that have passed, every 10 s. Raises `InstallFailed`.
        """
        self._queue.add(wheelhouse.wheels)
        self._queue.end()
        self._wait(on_wait)
        if self._failure is not None:
            raise self._failure
        if wrong := self._check.wrong(wheelhouse.wheels):
            self._unpack(wheelhouse.wheels, wrong)
            self._refuse_wrong_files(wheelhouse)
        self._refuse_unlisted_file(wheelhouse)
        self._bytecode.finish(on_wait)
        shutil.rmtree(self._cache, ignore_errors=True)

    def close(self) -> None:
        """Stop unpacking, checking and compiling."""
        self._stopped.set()
        self._queue.end(drop=True)
        self._ended.wait(_SHUTDOWN_SECONDS)
        self._check.close()
        self._bytecode.close()
        shutil.rmtree(self._cache, ignore_errors=True)

    def _refuse_wrong_files(self, wheelhouse: Wheelhouse) -> None:
        for project, name in self._check.wrong(wheelhouse.wheels).items():
            raise InstallFailed(
                message(
                    "{name} of {project} is not what its wheel holds, though it was just unpacked",
                    name=name,
                    project=project,
                ),
                fix=message("check the disk, and that no other program changes files there"),
                code="changed-files",
            )

    def _refuse_unlisted_file(self, wheelhouse: Wheelhouse) -> None:
        """Refuse a new environment with a file that no wheel of it has; in an older one others may have put some."""
        if self._prepare is None:
            return
        listed = self._own | self._check.package_files(wheelhouse.wheels)
        name = unlisted_file(files_in(self._package_folders()), listed)
        if name is None:
            return
        raise InstallFailed(
            message("{name} is in the new environment, and none of its wheels has it", name=name),
            fix=message("run the command again, and check that no other program changes files there"),
            code="changed-files",
        )

    def _wait(self, on_wait: Callable[[float], None] | None) -> None:
        started = time.monotonic()
        while not self._ended.wait(_REPORT_INTERVAL_SECONDS):
            if on_wait is not None:
                on_wait(time.monotonic() - started)

    def _unpack_all(self) -> None:
        try:
            if self._prepare is not None:
                self._prepare()
                self._own = files_in(self._package_folders())
            while batch := self._queue.next_batch():
                self._unpack(batch, self._reinstall)
        except BaseException as error:  # noqa: BLE001  (`add` or `finish` raises it in its own thread)
            self._failure = error
        finally:
            self._ended.set()

    def _unpack(self, wheels: Sequence[FetchedWheel], reinstall: Collection[str]) -> None:
        install_wheels(
            self._stage,
            wheels,
            self._run_dir,
            self._environ,
            reinstall,
            cache=self._cache,
            largest=self._check.largest(wheels),
            stopped=self._stopped,
        )
        self._bytecode.add(self._python_files(wheels))
        # The environment's files are hard links into what uv has unpacked: from here on they have no other name. What
        # uv knows of the interpreter stays, for its next run.
        for unpacked in ("archive-v*", "wheels-v*"):
            for path in self._cache.glob(unpacked):
                shutil.rmtree(path)
        self._check.begin(wheels)

    def _python_files(self, wheels: Sequence[FetchedWheel]) -> Iterator[Path]:
        for site_packages in self._package_folders():
            for wheel in wheels:
                for name in files_of_wheel(self._stage, site_packages, wheel.path):
                    path = self._stage / name
                    if path.suffix == ".py" and path.is_relative_to(site_packages):
                        yield path

    def _package_folders(self) -> Sequence[Path]:
        """Return the package folders; those of a new environment are known once it is there."""
        return glob_site_packages(self._stage) if self._site_packages is None else self._site_packages
