"""Compiles the bytecode of an environment with its own Python, in several processes, while other wheels arrive."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.system.process import PIPE, ManagedProcess
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["BytecodeCompiler"]

# Each takes up to 90 MB while it compiles PyTorch.
_MAX_WORKERS = 16
_BATCH_BYTES = 64 * 1024
# The largest file of PyTorch takes 0.3 s: a worker that takes longer than this hangs.
_BATCH_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.5
_REPORT_INTERVAL_SECONDS = 10.0
_SHUTDOWN_SECONDS = 5.0
# A file that cannot be compiled, such as a template, is skipped, as pip and uv do. Unpacking has priority.
_WORKER = """
import compileall, os, sys
try:
    os.nice(5)
except (AttributeError, OSError):
    pass
for line in sys.stdin.buffer:
    for name in line.split():
        try:
            compileall.compile_file(os.fsdecode(bytes.fromhex(name.decode())), quiet=2)
        except Exception:
            pass
    sys.stdout.buffer.write(b"\\n")
    sys.stdout.buffer.flush()
"""


class BytecodeCompiler:
    """Compiles Python files of one environment in worker processes; `close` ends them whatever they do.

    A file that ends its worker, or takes it more than a minute, stays without bytecode: Python then compiles it when it
    is imported.
    """

    def __init__(self, python: Path) -> None:
        self._python = python
        self._batches: queue.Queue[list[bytes] | None] = queue.Queue()
        self._workers: list[_Worker] = []

    def add(self, files: Iterable[Path]) -> None:
        """Compile those of `files` that exist and have no current bytecode."""
        sizes = {path: size for path in files if (size := _size_of(path)) is not None}
        batch: list[bytes] = []
        batch_size = 0
        # The largest first: at the end it would keep everyone waiting.
        for path in sorted(sizes, key=lambda path: sizes[path], reverse=True):
            batch.append(os.fsencode(path))
            batch_size += sizes[path]
            if batch_size >= _BATCH_BYTES:
                self._batches.put(batch)
                batch, batch_size = [], 0
        if batch:
            self._batches.put(batch)
        if sizes and not self._workers:
            count = min(_MAX_WORKERS, _usable_processors())
            self._workers = [_Worker(self._python, self._batches) for _ in range(count)]

    def finish(self, on_wait: Callable[[float], None] | None) -> None:
        """Wait until every file is compiled; `on_wait` gets the seconds that have passed, every 10 s.

        Raises `InstallFailed` when the environment's Python cannot be run.
        """
        started = reported = time.monotonic()
        for _ in self._workers:
            self._batches.put(None)
        for worker in self._workers:
            while worker.is_working(_POLL_SECONDS):
                for other in self._workers:
                    other.end_if_stuck()
                if on_wait is not None and time.monotonic() - reported >= _REPORT_INTERVAL_SECONDS:
                    reported = time.monotonic()
                    on_wait(reported - started)
        failure = next((worker.failure for worker in self._workers if worker.failure), None)
        self._workers = []
        if failure is not None:
            raise InstallFailed(
                message(
                    "{python} cannot be run: {why}", python=self._python, why=failure.strerror or failure
                ),
                fix=message("name another interpreter with --python, or another folder"),
            )

    def close(self) -> None:
        """End the workers now; bytecode that is complete stays."""
        # Any worker may take the word that is put in for another: all are told before one is waited for.
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.wait()
        self._workers = []


class _Worker:
    """A process of the environment's Python, and the thread that gives it files."""

    def __init__(self, python: Path, batches: queue.Queue[list[bytes] | None]) -> None:
        self.failure: OSError | None = None
        self._python, self._batches = python, batches
        # Guards `_closed` and `_process`: `close` must see a process that is just being started.
        self._lock = threading.Lock()
        self._closed = False
        self._process: ManagedProcess | None = None
        self._busy_since: float | None = None
        # Until Python 3.12 an interrupted `Thread.join` may return while the thread still runs.
        self._ended = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def is_working(self, seconds: float) -> bool:
        """Wait up to `seconds` for the worker to end; return whether it has not."""
        return not self._ended.wait(seconds)

    def end_if_stuck(self) -> None:
        """End a process that takes too long for one batch; the next batch gets a new process."""
        since, process = self._busy_since, self._process
        if since is not None and process is not None and time.monotonic() - since > _BATCH_TIMEOUT_SECONDS:
            process.kill_group()

    def stop(self) -> None:
        """End the process, and the thread soon after."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill_group()
        self._batches.put(None)

    def wait(self) -> None:
        """Wait until the thread has ended."""
        self._ended.wait(_SHUTDOWN_SECONDS)

    def _work(self) -> None:
        try:
            while (batch := self._batches.get()) is not None:
                process = self._running_process()
                if process is None:
                    return
                self._busy_since = time.monotonic()
                if not _compile(process, batch):
                    self._end_process()
                self._busy_since = None
        except OSError as error:
            self.failure = error
        finally:
            self._end_process()
            self._ended.set()

    def _running_process(self) -> ManagedProcess | None:
        """Return the process, started if need be; None when the worker is closed."""
        with self._lock:
            if self._closed:
                return None
            if self._process is None:
                argv: list[str | Path] = [self._python, "-I", "-S", "-c", _WORKER]
                self._process = ManagedProcess(argv, stdin=PIPE, stdout=PIPE)
            return self._process

    def _end_process(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill(_SHUTDOWN_SECONDS)
            process.close_pipes()


def _compile(process: ManagedProcess, batch: list[bytes]) -> bool:
    """Have the process compile the files; return False when it ended instead."""
    try:
        process.stdin.write(b" ".join(name.hex().encode() for name in batch) + b"\n")
        process.stdin.flush()
    except OSError:
        return False
    return bool(process.stdout.readline())


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _usable_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
