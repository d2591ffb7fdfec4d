"""Fills an environment while its files still arrive: uv unpacks what is there, its Python compiles what is unpacked."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from torchdoctor.core.fs.swap import syncing_filesystem
from torchdoctor.install.build import fill, packages_failing_record, site_packages
from torchdoctor.install.bytecode import Bytecode
from torchdoctor.install.location import interpreter_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.fetch.wheelhouse import Wheelhouse

__all__ = ["StreamingUnpacker"]

# What is larger waits until the small ones are unpacked: they are done soon, and can be compiled meanwhile.
_LARGE = 32 * 1024 * 1024
# Files that come close to each other are unpacked by one run of uv.
_TOGETHER = 0.1
_TICK = 10.0
_END = 10.0


class StreamingUnpacker:
    """An environment at `stage` that is filled by a thread, until `finish` or `close`.

    `prepare` makes it first, in the same thread. Those named in `reinstall` replace what is there at the same version;
    `copied` files share nothing with uv's cache. `work` is a folder of the run's own.
    """

    def __init__(
        self,
        stage: Path,
        work: Path,
        environ: Mapping[str, str],
        *,
        prepare: Callable[[], None] | None = None,
        reinstall: Collection[str] = (),
        copied: bool = False,
    ) -> None:
        self._stage, self._work, self._environ = stage, work, environ
        self._prepare, self._reinstall, self._copied = prepare, reinstall, copied
        self._change = threading.Condition()
        self._waiting: list[FetchedWheel] = []
        self._unpacking: list[FetchedWheel] = []
        self._added: set[str] = set()
        self._all_there = False
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        # An interrupt makes `Thread.join` take a thread that is at work for one that has ended, up to Python 3.12.
        self._ended = threading.Event()
        self._bytecode = Bytecode(interpreter_of(stage))
        threading.Thread(target=self._fill_all, daemon=True).start()

    def add(self, wheel: FetchedWheel) -> None:
        """Have a file unpacked; raises what unpacking others raised. May be called from several threads."""
        if self._failure is not None:
            raise self._failure
        with self._change:
            self._added.add(wheel.wheel.filename)
            self._waiting.append(wheel)
            self._change.notify()

    def pending(self, wheelhouse: Wheelhouse | None = None) -> tuple[FetchedWheel, ...]:
        """The files that were added, or are still to be, and are not unpacked yet."""
        with self._change:
            missing = () if wheelhouse is None else wheelhouse.wheels
            return (
                *self._waiting,
                *self._unpacking,
                *(row for row in missing if row.wheel.filename not in self._added),
            )

    def has_others_than(self, wheelhouse: Wheelhouse) -> bool:
        """Whether a file was added that is none of these."""
        return not self._added <= {row.wheel.filename for row in wheelhouse.wheels}

    def finish(self, wheelhouse: Wheelhouse, on_wait: Callable[[float], None] | None) -> None:
        """Add what was not, and wait until all is unpacked as its RECORD says, and compiled.

        `on_wait(seconds)` is called every 10 s meanwhile. Raises `InstallFailed`.
        """
        for row in wheelhouse.wheels:
            if row.wheel.filename not in self._added:
                self.add(row)
        with self._change:
            self._all_there = True
            self._change.notify()
        self._wait(on_wait)
        if self._failure is not None:
            raise self._failure
        with syncing_filesystem(self._stage):
            # Who edits a file of an environment edits uv's cache with it, of which it is a hard link, and the next one.
            if wrong := packages_failing_record(self._stage, wheelhouse):
                self._unpack(wheelhouse.wheels, wrong, self._work / "uv-cache")
            self._bytecode.finish(on_wait)

    def close(self) -> None:
        """Stop whatever is at work."""
        self._stopped.set()
        with self._change:
            self._waiting.clear()
            self._all_there = True
            self._change.notify()
        self._ended.wait(_END)
        self._bytecode.close()

    def _wait(self, on_wait: Callable[[float], None] | None) -> None:
        started = time.monotonic()
        while not self._ended.wait(_TICK):
            if on_wait is not None:
                on_wait(time.monotonic() - started)

    def _fill_all(self) -> None:
        try:
            if self._prepare is not None:
                self._prepare()
            while batch := self._next():
                with syncing_filesystem(self._stage):
                    self._unpack(batch, self._reinstall)
        except BaseException as error:  # noqa: BLE001  (it goes on in the thread that adds or finishes)
            self._failure = error
        finally:
            self._ended.set()

    def _next(self) -> Sequence[FetchedWheel]:
        """The small ones that are there, else the large; none when all are unpacked."""
        with self._change:
            self._unpacking = []
            while not self._waiting and not self._all_there:
                self._change.wait()
            # Each file that comes wakes us: only the last one ends this pause.
            self._change.wait_for(lambda: self._all_there, _TOGETHER)
            small = [row for row in self._waiting if row.size < _LARGE]
            self._unpacking = small or self._waiting
            self._waiting = [row for row in self._waiting if row not in self._unpacking]
            return self._unpacking

    def _unpack(
        self, wheels: Sequence[FetchedWheel], reinstall: Collection[str], cache: Path | None = None
    ) -> None:
        fill(
            self._stage, wheels, self._work, self._environ, reinstall,
            copied=self._copied, cache=cache, stopped=self._stopped,
        )  # fmt: skip
        self._bytecode.add(site_packages(self._stage))
