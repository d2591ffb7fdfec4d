"""How much of the CPU time it wanted this process got: what tells a slow machine from a busy one."""

from __future__ import annotations

import time
from pathlib import Path

__all__ = ["CpuShareMeter"]

_TASKS = Path("/proc/self/task")


class CpuShareMeter:
    """Measures from its making on.

    Linux tells how long each thread stood ready in the queue without a core
    (https://docs.kernel.org/scheduler/sched-stats.html, /proc/PID/schedstat); elsewhere the process's CPU time is set
    against the time that its threads had.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._queue = _queue()
        self._used, self._began = time.process_time(), time.perf_counter()

    def share(self) -> float | None:
        """Between 0 and 1; None where nothing was used."""
        used, wall = time.process_time() - self._used, time.perf_counter() - self._began
        queue = _queue()
        if self._queue is not None and queue is not None:
            ran, waited = queue[0] - self._queue[0], queue[1] - self._queue[1]
            # A thread that ended in between takes its past with it.
            if ran > 0 and waited >= 0:
                return round(ran / (ran + waited), 4)
        return round(min(used / (wall * self._threads), 1.0), 4) if wall > 0 else None


def _queue() -> tuple[int, int] | None:
    """Nanoseconds that the threads ran, and that they waited for a core; None where the system does not say."""
    ran = waited = 0
    try:
        for task in _TASKS.iterdir():
            fields = (task / "schedstat").read_text("ascii").split()
            ran, waited = ran + int(fields[0]), waited + int(fields[1])
    except (OSError, ValueError, IndexError):
        return None
    # A kernel without the statistics says 0 throughout.
    return (ran, waited) if ran else None
