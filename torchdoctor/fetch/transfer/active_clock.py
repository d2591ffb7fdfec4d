"""A clock that stands still while this process does: stopped, asleep with its machine, or starved of processors."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ActiveClock"]

# The thread that waits for the file reads the clock every 0.05 s. A line is not to blame for what is beyond four times
# that: nobody was there to read from it.
_LONGEST_GAP_SECONDS = 0.2
_PAUSE_SECONDS = 1.0


class ActiveClock:
    """Seconds that this process ran, as far as somebody reads the clock often. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._last, self._ran = clock(), 0.0
        self.last_pause = -math.inf  # when the process stood still last, for a second or more

    def __call__(self) -> float:
        """Return the seconds; of the time since the last reading a long gap counts as a short one."""
        with self._lock:
            now = self._clock()
            gap, self._last = now - self._last, now
            self._ran += min(gap, _LONGEST_GAP_SECONDS)
            if gap > _PAUSE_SECONDS:
                self.last_pause = self._ran
            return self._ran
