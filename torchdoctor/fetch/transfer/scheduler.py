"""One file over several connections: who fetches what, how many are worth it, and what to do when one fails."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.fetch.transfer.connection import Connection
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.incremental_hash import RunningHash
from torchdoctor.fetch.transfer.interfaces import Changed, Failed, TransferStopped
from torchdoctor.fetch.transfer.origin import Origin, best_origin
from torchdoctor.fetch.transfer.retry import ENOUGH
from torchdoctor.fetch.transfer.segments import Span
from torchdoctor.fetch.transfer.throughput import Ramp, lags, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.fetch.transfer.interfaces import ConnectionLimit, Watcher
    from torchdoctor.fetch.transfer.partial_file import Part
    from torchdoctor.fetch.transfer.response import Answer
    from torchdoctor.fetch.transfer.retry import RetryPolicy

__all__ = ["Transfer"]

_STEAL_SECONDS = 2.0  # the bytes on their way to the other connection are lost
_TICK = 0.05
_PARTING_SECONDS = 1.0
_SYNC_SECONDS = 2.0
_MISSES = 3  # after so many a place is given up for another one


class Transfer:
    """Fetches what `part` lacks from `origins`. `exact`: its size is known from the lock, not from a server."""

    def __init__(
        self,
        part: Part,
        origins: Sequence[Origin],
        *,
        connections: ConnectionLimit,
        stopped: threading.Event,
        watcher: Watcher,
        exact: bool,
    ) -> None:
        self.size = part.size
        self.map = part.map()
        self._part, self._origins, self._exact = part, origins, exact
        self._connections, self._stopped, self._watcher = connections, stopped, watcher
        self._lanes: list[Connection] = []
        self._turn = threading.Condition()
        self._ramp = Ramp()
        self._arrived = 0
        self._error: BaseException | None = None
        self._ended = False
        self._told: set[str] = set()
        self._givers: dict[int, Origin] = {}
        self._past: deque[float] = deque(maxlen=8)  # bytes a second of the last answers
        self._hash = RunningHash(part)

    # What the thread that waits for the file does.

    def run(self, answer: Answer | None = None) -> None:
        """Bring every missing segment; `answer` is an open one of the first place, and starts at byte 0.

        Raises `Failed`, `Changed` or `TransferStopped`; OSError when the disk fails. What is there stays there.
        """
        self._ended, self._error = False, None
        window, synced = (time.monotonic(), 0), time.monotonic()
        try:
            while not self.map.complete:
                self._check()
                self._open_lanes(answer)
                answer = None
                window = self._measure(window)
                self._drop_laggards()
                if time.monotonic() - synced > _SYNC_SECONDS:
                    self._part.sync()
                    synced = time.monotonic()
                if not self._hash.ahead(self.map.done):
                    with self._turn:
                        self._turn.wait(_TICK)
            self._check(error_only=True)
        finally:
            self._end()

    def digest(self) -> str:
        """The SHA-256 of the file, which is complete."""
        while self._hash.ahead(self.map.done):
            if self._stopped.is_set():
                raise TransferStopped
        return self._hash.hexdigest

    def again(self, indexes: Sequence[int]) -> None:
        """Fetch segments anew that turned out to be wrong; raises what `run` does.

        Where they all came from one place and there is another, that one is asked no more.
        """
        first, *more = [self._givers.get(index) for index in indexes]
        others = any(row.refused is None for row in self._origins if row is not first)
        if first is not None and others and all(row is first for row in more):
            first.refused = message("{host}: it gave wrong bytes", host=first.host)
        self.map.forget(indexes)
        self._hash = RunningHash(self._part)
        self.run()

    def _check(self, *, error_only: bool = False) -> None:
        with self._turn:
            if self._error is not None:
                raise self._error
            if error_only:
                return
            if self._stopped.is_set():
                raise TransferStopped
            if not self._lanes and best_origin(self._origins) is None:
                raise Failed("; ".join(dict.fromkeys(row.refused or "" for row in self._origins)))

    def _open_lanes(self, answer: Answer | None) -> None:
        with self._turn:
            ranged = any(row.ranges and row.refused is None for row in self._origins)
            wanted = self._ramp.wanted if ranged else 1
            while len(self._lanes) < wanted:
                if self._lanes and not (self.map.waiting_bytes or self._slowest(_STEAL_SECONDS)):
                    return
                origin = best_origin(self._origins) if answer is None else self._origins[0]
                # The first connection is the file's own: whoever runs the file holds it.
                if origin is None or (self._lanes and not self._connections.another()):
                    return
                lane = Connection(self, origin, answer)
                origin.lanes += 1
                self._lanes.append(lane)
                lane.start()
                answer = None

    def _measure(self, window: tuple[float, int]) -> tuple[float, int]:
        since, before = window
        now = time.monotonic()
        with self._turn:
            flowing = all(row.meter is not None and row.meter.rate for row in self._lanes)
            if not self._lanes or (not flowing and self._arrived == before):
                return now, self._arrived
            if now - since < Ramp.WINDOW:
                return window
            rate = (self._arrived - before) / (now - since)
            left = self.size - self.map.done_bytes
            lanes = self._ramp.wanted
            self._ramp.look(rate, left, len(self._lanes))
            if self._ramp.wanted != lanes:
                now += Ramp.WINDOW / 2  # new connections need a moment to begin
            return now, self._arrived

    def _drop_laggards(self) -> None:
        with self._turn:
            rows = [(lane, lane.meter) for lane in self._lanes if lane.meter is not None]
            for lane, meter in rows:
                others = [other.rate for row, other in rows if row is not lane] or self._past
                # Where most connections go to one slow place, the slow are the many.
                elsewhere = [
                    other.rate
                    for row, other in rows
                    if row.origin is not lane.origin and other.seconds > Ramp.WINDOW
                ]
                if not lane.given_up and lags(meter.rate, (others, elsewhere), meter.seconds):
                    lane.origin.rate = meter.rate
                    lane.give_up(message("{host} is far slower than the others", host=lane.origin.host))

    def _end(self) -> None:
        with self._turn:
            self._ended = True
            lanes = list(self._lanes)
            for lane in lanes:
                lane.give_up(message("it was stopped"))
        until = time.monotonic() + _PARTING_SECONDS
        for lane in lanes:
            # One that waits for a connection cannot be woken; it finds out that it is not wanted any more.
            lane.join(max(0.0, until - time.monotonic()))

    # What the lanes call.

    @property
    def over(self) -> bool:
        """Whether nobody waits for the file any more."""
        return self._ended or self._stopped.is_set()

    def next_span(self, lane: Connection) -> Span | None:
        """What the lane fetches next; None when it is to leave."""
        with self._turn:
            if self.over or lane.given_up or self._error is not None or lane.origin.refused:
                return None
            if len(self._lanes) > self._ramp.wanted and lane is not self._lanes[0]:
                return None
            if not lane.origin.ranges:
                if len(self._lanes) > 1 or self.map.complete:
                    return None
                self._take_stock()
                return Span(0, self.size, whole=True)
            return self.map.take(self._share(lane)) or self._steal(lane)

    def _share(self, lane: Connection) -> int:
        """How many bytes a lane asks for at once."""
        if lane.first is not None:
            return (lane.first.end or self.size) - lane.first.start
        alike = all(row.origin is lane.origin for row in self._lanes)
        return share(self.map.waiting_bytes, lane.rate or lane.origin.rate, len(self._lanes), alike=alike)

    def _steal(self, thief: Connection) -> Span | None:
        victim = self._slowest(_STEAL_SECONDS, thief)
        if victim is None or victim.span is None or victim.meter is None:
            return None
        mine, its = max(thief.rate, thief.origin.rate, 1.0), victim.meter.rate
        return self.map.split(victim.span, keep=its / (its + mine))

    def _slowest(self, seconds: float, thief: Connection | None = None) -> Connection | None:
        """The lane that will be busy longest, if longer than `seconds`."""
        busy = {
            row: row.span.left / max(row.meter.rate, 1.0)
            for row in self._lanes
            if row is not thief and row.span is not None and row.meter is not None and row.origin.ranges
        }
        slowest = max(busy, key=lambda row: busy[row], default=None)
        return slowest if slowest is not None and busy[slowest] > seconds else None

    def give_back(self, span: Span) -> None:
        """A lane leaves this to others."""
        with self._turn:
            if span.whole:
                self._take_stock()
            else:
                self.map.give_back(span)

    def _take_stock(self) -> None:
        self.map = self._part.map(index for index, there in enumerate(self.map.done) if there)

    def has(self, index: int) -> bool:
        """Whether a segment is there."""
        return bool(self.map.done[index])

    def put(self, lane: Connection, index: int, data: bytes | bytearray) -> None:
        """A segment came."""
        with self._turn:
            if self.over or lane.given_up:
                raise Fault("stopped", message("it was stopped"))
            try:
                self._part.write(index, data)
            except OSError as error:
                self._error = error
                raise Fault("stopped", message("the disk failed")) from error
            self.map.mark(index)
            lane.origin.arrived += len(data)
            self._givers[index] = lane.origin
            self._turn.notify_all()

    def arrived(self, lane: Connection, count: int) -> None:
        """Bytes came over a lane."""
        with self._turn:
            self._arrived += count
            if lane.meter is not None:
                lane.origin.rate = lane.meter.rate

    def kept(self, count: int) -> None:
        """So many bytes more are there."""
        self._watcher.arrived(count)

    def answered(self, rate: float) -> None:
        """An answer came to its end, with so many bytes a second."""
        with self._turn:
            self._past.append(rate)

    def accept(self, lane: Connection, answer: Answer) -> None:
        """Look at what an answer says of the file; raises `Fault` when it is not the one begun."""
        with self._turn:
            origin = lane.origin
            if answer.total is not None and answer.total != self.size:
                why = message(
                    "the file there has {total} bytes and should have {size}",
                    total=answer.total,
                    size=self.size,
                )
                raise Fault("refused" if self._exact or len(self._origins) > 1 else "changed", why)
            if origin.validator is None:
                origin.validator = answer.validator
                self._part.note_validator(origin.key, answer.validator)
            if not answer.ranged and origin.ranges:
                origin.ranges = False
                if len(self._lanes) > 1 or any(row.ranges and not row.refused for row in self._origins):
                    raise Fault("lying", message("it has no ranges"))
            if answer.ranged:
                self._ramp.begin(answer.waited, self.map.waiting_bytes)
                self._turn.notify_all()

    def go_on(self, lane: Connection, fault: Fault, gained: int, patience: RetryPolicy) -> bool:
        """Whether the lane tries again after a fault; waits before it does."""
        with self._turn:
            again = self._try_again(lane, fault, gained, patience)
        return again and self._wait(patience.wait(fault.retry_after, random.random()))  # noqa: S311  (no secret)

    def _try_again(self, lane: Connection, fault: Fault, gained: int, patience: RetryPolicy) -> bool:
        origin, others = lane.origin, len(self._lanes) - 1
        if self.over or self._error is not None or lane.given_up:
            return False
        if fault.kind == "changed":
            self._error = Changed(fault.why)
            return False
        if fault.kind == "refused":
            origin.refuse(fault)
            return False
        if fault.kind == "busy" and others:
            self._ramp.settle(others)
            return False
        self._tell(fault, gained)
        if fault.kind == "lying":
            origin.ranges = False
            return False
        if gained < ENOUGH and any(not row.refused for row in self._origins if row is not origin):
            origin.misses += 1
            if origin.misses == _MISSES:
                origin.refuse(fault)
            return False
        if patience.failed(gained, slow=fault.kind == "slow"):
            return True
        self._ramp.settle(max(others, 1))
        if not any(row.origin is origin for row in self._lanes if row is not lane):
            origin.refuse(fault)
        return False

    def _wait(self, seconds: float) -> bool:
        """Wait; False when the transfer ended meanwhile."""
        until = time.monotonic() + seconds
        while not self.over and (left := until - time.monotonic()) > 0:
            self._stopped.wait(min(_TICK, left))
        return not self.over

    def _tell(self, fault: Fault, gained: int) -> None:
        # A line that closes every few megabytes would else fill the screen.
        if not gained or fault.why not in self._told:
            self._told.add(fault.why)
            self._watcher.retry(fault.why)

    def crashed(self, error: BaseException) -> None:
        """A lane failed in a way that is a bug; the thread that waits for the file raises it."""
        with self._turn:
            if self._error is None:
                self._error = error

    def left(self, lane: Connection) -> None:
        """A lane is gone."""
        with self._turn:
            own = lane is self._lanes[0] if len(self._lanes) == 1 else False
            self._lanes.remove(lane)
            lane.origin.lanes -= 1
            if not own:
                self._connections.back()
            self._turn.notify_all()
