"""The share that this process gets of the CPU time it wants: it tells a slow machine from a busy one."""

from __future__ import annotations

import time
from pathlib import Path

__all__ = ["CpuShareMeter"]

_TASKS = Path("/proc/self/task")


class CpuShareMeter:
    """Measures from its construction on.

    Linux counts how long each thread waited in the queue for a core
    (https://docs.kernel.org/scheduler/sched-stats.html, /proc/PID/schedstat); elsewhere the process's CPU time is
    compared with the time that its threads had.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._queue = _queue()
        self._used, self._began = time.process_time(), time.perf_counter()

    def share(self) -> float | None:
        """Return the share, between 0 and 1; None where no time has passed."""
        used, wall = time.process_time() - self._used, time.perf_counter() - self._began
        queue = _queue()
        if self._queue is not None and queue is not None:
            ran, waited = queue[0] - self._queue[0], queue[1] - self._queue[1]
            # A thread that ended in between takes its figures with it.
            if ran > 0 and waited >= 0:
                return round(ran / (ran + waited), 4)
        return round(min(used / (wall * self._threads), 1.0), 4) if wall > 0 else None


def _queue() -> tuple[int, int] | None:
    """Return the nanoseconds that the threads ran and waited for a core; None where the system does not say."""
    ran = waited = 0
    try:
        for task in _TASKS.iterdir():
            fields = (task / "schedstat").read_text("ascii").split()
            ran, waited = ran + int(fields[0]), waited + int(fields[1])
    except (OSError, ValueError, IndexError):
        return None
    # A kernel without the statistics says 0 throughout.
    return (ran, waited) if ran else None
