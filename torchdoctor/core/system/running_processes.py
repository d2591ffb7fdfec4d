"""Which processes of ours run, so that none is left when the program ends while threads still wait for theirs."""

from __future__ import annotations

import contextlib
import errno
import threading
from typing import TYPE_CHECKING, Protocol

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RUNNING", "RunningProcesses"]

_START_SECONDS = 2.0  # a program on a network disk may take long to start


class _Process(Protocol):
    def kill_group(self) -> None:
        """Kill it and everything that it started, without waiting."""


class RunningProcesses:
    """The processes that were started and not yet ended by whoever started them."""

    def __init__(self) -> None:
        self._processes: set[_Process] = set()
        # Held while one starts: the end must not come between its start and its entry.
        self._lock = threading.RLock()
        self._is_over = False

    @contextlib.contextmanager
    def start(self) -> Iterator[set[_Process]]:
        """Let a process start, which is to be added to the set; raises `OSError` once the program ends."""
        with self._lock:
            if self._is_over:
                raise OSError(errno.ECANCELED, message("torchdoctor ends"))
            yield self._processes

    def forget(self, process: _Process) -> None:
        """Take note that a process has been ended."""
        self._processes.discard(process)

    def end(self) -> None:
        """Kill all of them, with everything that they started, and let no other one start."""
        self._is_over = True
        is_held = self._lock.acquire(timeout=_START_SECONDS)
        try:
            for process in tuple(self._processes):
                process.kill_group()
        finally:
            if is_held:
                self._lock.release()


RUNNING = RunningProcesses()
