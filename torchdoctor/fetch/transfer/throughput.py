"""How fast bytes come: a stall seen by throughput, and whether more connections help. Pure, the clock is given."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

__all__ = ["SLOW_BYTES", "SLOW_SECONDS", "Ramp", "ThroughputMeter", "lags", "share"]

# Less than this in so many seconds is a stall, though no time-out between two bytes ever strikes.
SLOW_SECONDS = 15.0
SLOW_BYTES = 15_000

_LAG_SECONDS = 3.0
_LAG_SHARE = 0.1

_MIB = 1 << 20
_SMALLEST, _LARGEST = _MIB, 128 * _MIB  # bytes asked for at once
_SPAN_SECONDS = 2.0
_AT_ONCE_SECONDS = 1.0


class ThroughputMeter:
    """Bytes of one connection over time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = self._mark = clock()
        self._count = self._marked = 0

    def add(self, count: int) -> None:
        """So many bytes came now."""
        self._count += count

    @property
    def seconds(self) -> float:
        """Since the connection was opened."""
        return self._clock() - self._since

    @property
    def rate(self) -> float:
        """Bytes a second since the connection was opened."""
        return self._count / max(self.seconds, 0.01)

    def stalled(self) -> bool:
        """Whether the last window brought next to nothing; asking at its end starts the next one."""
        if self._clock() - self._mark < SLOW_SECONDS:
            return False
        slow = self._count - self._marked < SLOW_BYTES
        self._mark, self._marked = self._clock(), self._count
        return slow


def lags(rate: float, others: Iterable[Collection[float]], seconds: float) -> bool:
    """Whether a connection is so far behind that others of its file had better do its work.

    `others` are the rates of groups of connections; to be behind one group is enough.
    """
    return seconds >= _LAG_SECONDS and any(rate < _LAG_SHARE * median(row) for row in others if row)


class Ramp:
    """How many connections a file gets: more while more of them bring more, at most `most`."""

    WINDOW = 0.2
    _STEPS = (1, 4, 8, 16)
    _FAR_SECONDS, _FAR_BYTES = 0.02, 16 << 20
    _LEFT_SECONDS = 0.5  # what is done sooner than this gains nothing from another connection

    def __init__(self, most: int = 16) -> None:
        self.wanted = 1
        self._most = most
        self._settled = most <= 1
        self._before: tuple[int, float] | None = None

    def begin(self, waited: float, left: int) -> None:
        """Take in how long the first answer was waited for: on a far line each connection begins slowly, so several do.

        https://www.rfc-editor.org/rfc/rfc5681#section-3.1
        """
        if not self._settled and self.wanted == 1 and waited >= self._FAR_SECONDS and left >= self._FAR_BYTES:
            self.wanted = min(self._STEPS[1], self._most)

    def settle(self, connections: int) -> None:
        """Stay at so many: the server allows no more, or has no ranges."""
        self.wanted, self._settled = max(1, min(connections, self.wanted)), True

    def look(self, rate: float, left: int, connections: int) -> None:
        """Take in the bytes a second of the last window, made by so many connections, with `left` bytes to come."""
        if self._settled or rate <= 0 or connections < self.wanted:
            return
        if self._before is not None:
            fewer, slower = self._before
            growth = connections / fewer
            if growth > 1 and rate < slower * (1 + 0.25 * (growth - 1)):
                # That many do not help; fewer do the same with less.
                self.settle(connections if rate > 1.1 * slower else fewer)
                return
        if left / rate < self._LEFT_SECONDS:
            return
        more = [step for step in self._STEPS if self.wanted < step <= self._most]
        if not more:
            self._settled = True
            return
        self._before = (connections, rate)
        self.wanted = more[0]


def share(left: int, rate: float, connections: int, *, alike: bool = True) -> int:
    """How many of the `left` bytes one of some connections asks for at once: what it brings soon, less towards the end.

    What is left is asked for at once where it is a matter of a second and all connections are `alike`, to one place.
    `rate`: its bytes a second, 0 when unknown.
    """
    if alike and left < rate * connections * _AT_ONCE_SECONDS:
        return max(-(-left // connections), _SMALLEST)
    soon = min(max(rate * _SPAN_SECONDS, _SMALLEST), _LARGEST)
    return int(min(soon, max(left / (2 * connections), _SMALLEST)))
