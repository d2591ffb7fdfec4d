"""Compiles the bytecode of an environment with its own Python, several files at once, while others still arrive."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["Bytecode"]

# Each takes up to 90 MB while it compiles PyTorch.
_MOST = 16
_CHUNK = 64 * 1024
# The largest file of PyTorch takes 0.3 s; what takes longer than this hangs.
_LIMIT = 60.0
_LOOK = 0.5
_TICK = 10.0
_END = 5.0
# A file that cannot be compiled, such as a template, is passed over, as pip and uv do. What unpacks goes first.
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


class Bytecode:
    """Workers that compile what lies in folders of one environment; `close` ends them wherever they are.

    A file that ends a worker, or takes it more than a minute, stays without bytecode, which Python makes itself.
    """

    def __init__(self, python: Path) -> None:
        self._python = python
        self._chunks: queue.Queue[list[bytes] | None] = queue.Queue()
        self._seen: set[tuple[str, int]] = set()
        self._workers: list[_Worker] = []

    def add(self, folders: Iterable[Path]) -> None:
        """Compile what is below the folders and was not there, or not the same, the last time."""
        files = [row for folder in folders for row in _python_files(folder) if row[:2] not in self._seen]
        self._seen.update(row[:2] for row in files)
        # The largest first: one that comes last would keep all waiting.
        files.sort(key=lambda row: row[2], reverse=True)
        chunk: list[bytes] = []
        size = 0
        for name, _, length in files:
            chunk.append(os.fsencode(name))
            size += length
            if size >= _CHUNK:
                self._chunks.put(chunk)
                chunk, size = [], 0
        if chunk:
            self._chunks.put(chunk)
        if files and not self._workers:
            self._workers = [_Worker(self._python, self._chunks) for _ in range(min(_MOST, _processors()))]

    def finish(self, on_wait: Callable[[float], None] | None) -> None:
        """Wait until all is compiled; `on_wait(seconds)` is called every 10 s meanwhile.

        Raises `InstallFailed` where the environment's Python cannot be run.
        """
        started = told = time.monotonic()
        for _ in self._workers:
            self._chunks.put(None)
        for worker in self._workers:
            while worker.at_work(_LOOK):
                for other in self._workers:
                    other.end_if_stuck()
                if on_wait is not None and time.monotonic() - told >= _TICK:
                    told = time.monotonic()
                    on_wait(told - started)
        failed = next((worker.failure for worker in self._workers if worker.failure), None)
        self._workers = []
        if failed is not None:
            raise InstallFailed(
                message("{python} cannot be run: {why}", python=self._python, why=failed.strerror or failed),
                fix=message("name another interpreter with --python, or another folder"),
            )

    def close(self) -> None:
        """End the workers now; what they have compiled stays."""
        for worker in self._workers:
            worker.close()
        self._workers = []


class _Worker:
    """One process of the environment's Python, and the thread that gives it files."""

    def __init__(self, python: Path, chunks: queue.Queue[list[bytes] | None]) -> None:
        self.failure: OSError | None = None
        self._python, self._chunks = python, chunks
        self._process: subprocess.Popen[bytes] | None = None
        self._since: float | None = None
        self._closed = False
        # An interrupt makes `Thread.join` take a thread that is at work for one that has ended, up to Python 3.12.
        self._ended = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def at_work(self, seconds: float) -> bool:
        """Whether it still is after this time."""
        return not self._ended.wait(seconds)

    def end_if_stuck(self) -> None:
        """End a process that has had the same files for too long; the next files get another."""
        since, process = self._since, self._process
        if since is not None and process is not None and time.monotonic() - since > _LIMIT:
            process.kill()

    def close(self) -> None:
        """End the process and the thread."""
        self._closed = True
        self._chunks.put(None)
        if self._process is not None:
            self._process.kill()
        self._ended.wait(_END)

    def _work(self) -> None:
        try:
            while (chunk := self._chunks.get()) is not None and not self._closed:
                if self._process is None:
                    self._process = self._start()
                self._since = time.monotonic()
                if not _compiled(self._process, chunk):
                    self._end()
                self._since = None
        except OSError as error:
            self.failure = error
        finally:
            self._end()
            self._ended.set()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._python, "-I", "-S", "-c", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _compiled(process: subprocess.Popen[bytes], chunk: list[bytes]) -> bool:
    """Whether the process answered, rather than ended."""
    if process.stdin is None or process.stdout is None:
        return False
    try:
        process.stdin.write(b" ".join(name.hex().encode() for name in chunk) + b"\n")
        process.stdin.flush()
    except OSError:
        return False
    return bool(process.stdout.readline())


def _python_files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Each Python file below the folder: path, time of change in ns, and bytes."""
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.name.endswith(".py") and entry.is_file():
                        status = entry.stat()
                        yield entry.path, status.st_mtime_ns, status.st_size
        except OSError:
            continue


def _processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
