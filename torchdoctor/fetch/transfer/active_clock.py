"""A clock that stands still while this process does: stopped, asleep with its machine, or starved of processors."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ActiveClock"]

# The thread that waits for the file reads the clock every 0.05 s. A line is not to blame for what is beyond four times
# that: nobody was there to read from it.
_LONGEST_GAP_SECONDS = 0.2


class ActiveClock:
    """Seconds that this process ran, as far as somebody reads the clock often. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._last, self._ran = clock(), 0.0
        self.pauses = 0  # how often the process stood still

    def __call__(self) -> float:
        """Return the seconds; of the time since the last reading a long gap counts as a short one."""
        with self._lock:
            now = self._clock()
            gap, self._last = now - self._last, now
            self.pauses += gap > _LONGEST_GAP_SECONDS
            self._ran += min(gap, _LONGEST_GAP_SECONDS)
            return self._ran
