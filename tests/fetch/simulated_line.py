"""Lines and servers with a virtual clock: the real decisions of a transfer, with simulated connections.

A server counts what it gives to its line; what is in a buffer or on its way when a response is closed was sent in vain.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace

from torchdoctor.fetch.transfer import assignment, pace, recovery
from torchdoctor.fetch.transfer.active_clock import ActiveClock
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.interfaces import TransferFailed
from torchdoctor.fetch.transfer.origin import Origin, best_origin
from torchdoctor.fetch.transfer.retry import RetryPolicy
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES, SegmentMap, Span
from torchdoctor.fetch.transfer.state import TransferState
from torchdoctor.fetch.transfer.throughput import ThroughputMeter

TICK = 0.05  # seconds: how often the thread that waits for the file looks
SILENCE_SECONDS = 15.0  # the time-out between two bytes


@dataclass(frozen=True, kw_only=True)
class Server:
    """One place that has the file: bytes a second of each connection, and seconds there and back.

    From the second `silent_at` on it sends nothing.
    """

    rate: float
    latency: float = 0.0
    silent_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """What lies between: `total` bytes a second for all connections together, `most` connections, kernel buffers.

    The process reads `reads` bytes a second, gets a processor in one of `turns` ticks, and stands still in `pause`
    (begin, end).
    """

    servers: tuple[Server, ...]
    total: float = 1e12
    most: int = 16
    buffer: int = 6 << 20
    reads: float = 1e9
    turns: int = 1
    pause: tuple[float, float] = (0.0, 0.0)


@dataclass(eq=False)
class Stream:
    """An open response: bytes from `sent` to before `end` are still with the server."""

    server: Server
    sent: int
    end: int
    opens: float
    flying: deque[tuple[float, int]] = field(default_factory=deque)
    unread: int = 0

    def push(self, now: float, share: float, buffer: int) -> int:
        """The server sends what the line and the buffers take; what has arrived lies in the buffer."""
        while self.flying and self.flying[0][0] <= now:
            self.unread += self.flying.popleft()[1]
        silent = self.server.silent_at is not None and now >= self.server.silent_at
        if now < self.opens or silent:
            return 0
        room = buffer - self.unread
        count = int(max(0, min(share * TICK, room, self.end - self.sent)))
        if count:
            self.sent += count
            self.flying.append((now + self.server.latency / 2, count))
        return count


class SimulatedConnection:
    """Has what the decisions look at, and reads from its stream."""

    first_response = None
    abandoned: str | None = None

    def __init__(self, transfer: SimulatedTransfer, origin: Origin, server: Server) -> None:
        self._transfer, self._state = transfer, transfer.state
        self.origin, self._server = origin, server
        self.span: Span | None = None
        self.meter: ThroughputMeter | None = None
        self.rate = 0.0
        self.stream: Stream | None = None
        self._policy, self._gained, self._waits, self._heard = RetryPolicy(), 0, 0.0, 0.0

    @property
    def is_starved(self) -> bool:
        """Whether it waits for the line."""
        return self.stream is None or not self.stream.unread

    def run(self, now: float, budget: int) -> int:
        """Do what the thread of a connection does until it has to wait; return how many bytes it read."""
        if now < self._waits:
            return 0
        if self.span is None:
            self.span = assignment.next_span(self._state, self)
            if self.span is None:
                self._transfer.end(self)
                return 0
        if self.stream is None:
            opens = now + self._server.latency
            self.stream = Stream(self._server, self.span.next_byte, self.span.end, opens)
            self._heard, self._gained = now, 0
            self._next_meter = ThroughputMeter(self._state.clock)
            return 0
        if self.abandoned:
            self._fault(Fault("stopped", self.abandoned), now)
            return 0
        if self.meter is None:
            if now < self.stream.opens:
                return 0
            self.meter = self._next_meter
            self._state.ramp.begin(self._server.latency, self._state.segments.waiting_bytes)
        return self._read(now, budget)

    def _read(self, now: float, budget: int) -> int:
        span, stream, meter = self.span, self.stream, self.meter
        count = min(stream.unread, budget)
        if not count:
            if not stream.unread and now - self._heard >= SILENCE_SECONDS:
                self._fault(Fault("broken", "silent"), now)
            return 0
        self._heard = now
        stream.unread -= count
        meter.add(count)
        self._gained += count
        pace.bytes_arrived(self._state, self, count)
        self._take(span, count)
        if span.position >= span.end:
            pace.response_ended(self._state, self)
            self._close()
            self.span = None
        elif meter.stalled():
            self._fault(Fault("slow", "almost nothing"), now)
        return count

    def _take(self, span: Span, count: int) -> None:
        while count and span.position < span.end:
            length = min(SEGMENT_BYTES, self._state.size - span.position)
            piece = min(count, length - len(span.have))
            count -= piece
            span.have += bytes(piece)
            if len(span.have) == length:
                assert not self._state.segments.done[span.position // SEGMENT_BYTES], "written twice"
                self._state.segments.mark(span.position // SEGMENT_BYTES)
                span.have = bytearray()
                span.position += length

    def _fault(self, fault: Fault, now: float) -> None:
        again = recovery.should_retry(self._state, self, fault, self._gained, self._policy)
        self._close()
        if again:
            self._waits = now + self._policy.wait(None, 0.5)
            return
        span, self.span = self.span, None
        assignment.return_span(self._state, span)
        self._transfer.end(self)

    def _close(self) -> None:
        self.stream = self.meter = None


class SimulatedTransfer:
    """Runs the decisions over a line until the file is there."""

    def __init__(self, size: int, line: Line) -> None:
        self.line, self.now, self.served = line, 0.0, 0
        origins = [Origin(f"https://m{number}.example/w") for number in range(len(line.servers))]
        self._servers = dict(zip([origin.url for origin in origins], line.servers, strict=True))
        self.state = TransferState(
            part=SimpleNamespace(size=size),
            origins=origins,
            observer=SimpleNamespace(retry=lambda _: None),
            stopped=threading.Event(),
            exact=True,
            segments=SegmentMap(size),
            clock=ActiveClock(lambda: self.now),
        )

    def run(self, limit: float) -> float:
        """Return the seconds; raises AssertionError when the file is not there after `limit`."""
        self.state.begin_window()
        ticks = 0
        while not self.state.segments.complete:
            self.now, ticks = self.now + TICK, ticks + 1
            assert self.now < limit, f"{self.state.segments.done_bytes} of {self.state.size} after {limit} s"
            self._serve()
            first, last = self.line.pause
            if not first <= self.now < last and ticks % self.line.turns == 0:
                self._decide()
                self._work()
        return self.now

    def end(self, connection: SimulatedConnection) -> None:
        self.state.connections.remove(connection)
        connection.origin.connections -= 1

    def _serve(self) -> None:
        streams = [row.stream for row in self.state.connections if row.stream is not None]
        wanted = sum(row.server.rate for row in streams)
        scale = min(1.0, self.line.total / wanted) if wanted else 1.0
        for row in streams:
            self.served += row.push(self.now, row.server.rate * scale, self.line.buffer)

    def _decide(self) -> None:
        state = self.state
        if not state.connections and best_origin(state.origins) is None:
            raise TransferFailed
        while (origin := pace.next_origin(state)) is not None and len(state.connections) < self.line.most:
            connection = SimulatedConnection(self, origin, self._servers[origin.url])
            origin.connections += 1
            state.connections.append(connection)
        pace.measure(state)
        for connection in pace.give_up_laggards(state):
            connection.abandoned = "far slower"

    def _work(self) -> None:
        busy = list(self.state.connections)
        left = int(self.line.reads * TICK)
        for number, connection in enumerate(busy):
            # Each does until it has to wait: one that ends a span takes the next one at once.
            left -= connection.run(self.now, left // (len(busy) - number))
            if connection in self.state.connections and connection.stream is None:
                connection.run(self.now, 0)
