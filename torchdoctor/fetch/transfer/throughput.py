"""Throughput: detects stalls, and finds out how many connections help. Pure: the clock is a parameter."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from torchdoctor.fetch.transfer.active_clock import ActiveClock

__all__ = [
    "STALL_BYTES",
    "STALL_SECONDS",
    "ConnectionRamp",
    "ThroughputMeter",
    "bytes_to_request",
    "is_lagging",
]

# Fewer bytes than this in so many seconds are a stall, though no time-out between two bytes ever occurs.
STALL_SECONDS = 15.0
STALL_BYTES = 15_000

_LAG_SECONDS = 3.0
_LAG_SHARE = 0.1

_MIB = 1 << 20
_MIN_REQUEST_BYTES, _MAX_REQUEST_BYTES = _MIB, 128 * _MIB
_REQUEST_SECONDS = 2.0
_LAST_REQUEST_SECONDS = 1.0


class ThroughputMeter:
    """Measures the bytes a second of one response, from its request on: a slow reader finds bytes waiting for it."""

    def __init__(self, clock: ActiveClock) -> None:
        self._clock, self._since = clock, clock()
        self._mark: float | None = None
        self._count = self._marked = 0

    def add(self, count: int) -> None:
        """`count` bytes came now."""
        if self._mark is None:
            self._mark = self._clock()
        self._count += count

    @property
    def seconds(self) -> float:
        """Seconds since the request."""
        return self._clock() - self._since

    @property
    def rate(self) -> float:
        """Bytes a second since the request."""
        return self._count / max(self.seconds, 0.01)

    @property
    def telling(self) -> bool:
        """Whether the rate is the line's: after a pause of this process all that waited comes at once."""
        return self._clock.last_pause < self._since

    def stalled(self) -> bool:
        """Return whether the last window was a stall; asking at its end starts the next window."""
        if self._mark is None or self._clock() - self._mark < STALL_SECONDS:
            return False
        slow = self._count - self._marked < STALL_BYTES
        self._mark, self._marked = self._clock(), self._count
        return slow


def is_lagging(rate: float, others: Iterable[Collection[float]], seconds: float) -> bool:
    """Return whether a connection is so far behind that others of its file should do its work.

    `others` are the rates of groups of connections; being behind one group is enough.
    """
    return seconds >= _LAG_SECONDS and any(rate < _LAG_SHARE * median(rates) for rates in others if rates)


class ConnectionRamp:
    """How many connections a file gets: more as long as they increase the throughput, at most `most`."""

    WINDOW = 0.2  # seconds
    _STEPS = (1, 4, 8, 16)
    _FAR_SECONDS, _FAR_BYTES = 0.02, 16 << 20
    _LEFT_SECONDS = 0.5  # what is done sooner than this gains nothing from another connection

    def __init__(self, most: int = 16) -> None:
        self.wanted = 1
        self._most = most
        self._settled = most <= 1
        self._before: tuple[int, float] | None = None

    def begin(self, waited: float, left: int) -> None:
        """Take in the seconds that the first response took: on a long path a connection begins slowly, so several do.

        https://www.rfc-editor.org/rfc/rfc5681#section-3.1
        """
        if not self._settled and self.wanted == 1 and waited >= self._FAR_SECONDS and left >= self._FAR_BYTES:
            self.wanted = min(self._STEPS[1], self._most)

    def settle(self, connections: int) -> None:
        """Keep this number of connections: the server allows no more, or has no ranges."""
        self.wanted, self._settled = max(1, min(connections, self.wanted)), True

    def look(self, rate: float, left: int, connections: int) -> None:
        """Take in the `rate` of the last window in bytes a second, with `left` bytes to come."""
        if self._settled or rate <= 0 or connections < self.wanted:
            return
        if self._before is not None:
            fewer, slower = self._before
            growth = connections / fewer
            if growth > 1 and rate < slower * (1 + 0.25 * (growth - 1)):
                # So many do not help: fewer reach the same rate.
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


def bytes_to_request(left: int, rate: float, connections: int, *, alike: bool = True) -> int:
    """Return how many of the `left` bytes one connection requests at once: what it brings soon, less towards the end.

    The rest is requested at once when it takes about a second and all connections are `alike`, to one server. `rate`:
    its bytes a second, 0 when unknown.
    """
    if alike and left < rate * connections * _LAST_REQUEST_SECONDS:
        return max(-(-left // connections), _MIN_REQUEST_BYTES)
    soon = min(max(rate * _REQUEST_SECONDS, _MIN_REQUEST_BYTES), _MAX_REQUEST_BYTES)
    return int(min(soon, max(left / (2 * connections), _MIN_REQUEST_BYTES)))
