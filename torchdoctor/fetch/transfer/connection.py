"""One connection of a transfer: takes a span, requests it, writes its segments, and retries while there is progress."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from torchdoctor.core.i18n import message
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.response import RangeResponse, request_range
from torchdoctor.fetch.transfer.retry import RetryPolicy
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES, Span
from torchdoctor.fetch.transfer.throughput import STALL_SECONDS, ThroughputMeter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.fetch.transfer.active_clock import ActiveClock
    from torchdoctor.fetch.transfer.origin import Origin

__all__ = ["Connection", "Scheduler"]


class Scheduler(Protocol):
    """What a connection needs from the transfer that it works for. All connections call it concurrently."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for the file any more."""

    @property
    def clock(self) -> ActiveClock:
        """Seconds that this process ran."""

    def next_span(self, connection: Connection) -> Span | None:
        """Return what the connection fetches next; None when it is to end."""

    def return_span(self, span: Span) -> None:
        """Let others fetch the rest of a span."""

    def check_response(self, connection: Connection, response: RangeResponse) -> None:
        """Raise `Fault` when a response is not of the file that is being fetched."""

    def has_segment(self, index: int) -> bool:
        """Say whether a segment is on the disk."""

    def write_segment(self, connection: Connection, index: int, data: bytes | bytearray) -> None:
        """Write a segment to the disk; raises `Fault` when the transfer is over or the disk fails."""

    def bytes_arrived(self, connection: Connection, count: int) -> None:
        """`count` bytes have arrived over the connection."""

    def bytes_gained(self, count: int) -> None:
        """`count` bytes are new: they count as progress of the file."""

    def response_ended(self, connection: Connection) -> None:
        """The response of a connection was read to its end."""

    def should_retry(self, connection: Connection, fault: Fault, gained: int, policy: RetryPolicy) -> bool:
        """Say whether to try again after a fault, and wait before that; `gained` bytes came since the last one."""

    def connection_crashed(self, error: BaseException) -> None:
        """A connection failed because of a bug; the thread that waits for the file raises the error."""

    def connection_ended(self, connection: Connection) -> None:
        """A connection is at its end."""


class Connection(threading.Thread):
    """Fetches spans for `scheduler` from `origin`; `response` is an open one whose body starts at byte 0."""

    def __init__(self, scheduler: Scheduler, origin: Origin, response: RangeResponse | None = None) -> None:
        super().__init__(name="torchdoctor-connection", daemon=True)
        self._scheduler, self.origin = scheduler, origin
        self.first_response = response
        self.response: RangeResponse | None = None
        self.span: Span | None = None
        self.meter: ThroughputMeter | None = None
        self.rate = 0.0  # bytes a second of its last response
        self.gained = 0  # bytes
        self.abandoned: str | None = None  # the reason

    def run(self) -> None:
        """Work until nothing is left to fetch or the transfer has no more use for this connection."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  (the thread that waits for the file raises it)
            self._scheduler.connection_crashed(error)
        finally:
            self._scheduler.connection_ended(self)

    @property
    def is_starved(self) -> bool:
        """Whether it waits for its line: all that has arrived is read."""
        response = self.response
        return response is not None and not response.has_unread()

    def abandon(self, reason: str) -> None:
        """Wake the connection from its wait for bytes and make it end; called by another thread."""
        self.abandoned = reason
        response = self.response
        if response is not None:
            response.stop()

    def _work(self) -> None:
        policy = RetryPolicy()
        while (span := self._scheduler.next_span(self)) is not None:
            self.span = span
            while True:
                before = self.gained
                try:
                    self._fetch(span)
                    break
                except Fault as fault:
                    if not self._scheduler.should_retry(self, fault, self.gained - before, policy):
                        self.span = None
                        self._scheduler.return_span(span)
                        return
            self.span = None

    def _fetch(self, span: Span) -> None:
        if span.position >= span.end:
            return
        response, self.first_response = self.first_response, None
        meter = ThroughputMeter(self._scheduler.clock)
        if response is None:
            response = request_range(
                self.origin.url, span.next_byte, span.end, self.origin.validator, ranges=self.origin.ranges
            )
        self.response, self.meter = response, meter
        try:
            self._scheduler.check_response(self, response)
            if response.ranged:
                self._read_span(response, span)
            else:
                self._read_whole_file(response)
            self._scheduler.response_ended(self)
        finally:
            self.response = self.meter = None
            response.close()

    def _read_span(self, response: RangeResponse, span: Span) -> None:
        for chunk in self._chunks(response):
            self.gained += len(chunk)
            self._scheduler.bytes_gained(len(chunk))
            start = 0
            while span.position < span.end and start < len(chunk):
                length = min(SEGMENT_BYTES, self._scheduler.size - span.position)
                piece = chunk[start : start + length - len(span.have)]
                start += len(piece)
                span.have += piece
                if len(span.have) < length:
                    break
                self._scheduler.write_segment(self, span.position // SEGMENT_BYTES, span.have)
                span.have = bytearray()
                span.position += length
            if span.position >= span.end:
                return
        raise Fault("broken", message("the connection closed before the end"))

    def _read_whole_file(self, response: RangeResponse) -> None:
        """Read the file from its first byte, for a server without ranges; segments that are there are skipped."""
        size, position, have = self._scheduler.size, 0, bytearray()
        try:
            for chunk in self._chunks(response):
                have += chunk
                while position < size:
                    length = min(SEGMENT_BYTES, size - position)
                    if len(have) < length:
                        break
                    if not self._scheduler.has_segment(position // SEGMENT_BYTES):
                        self._scheduler.write_segment(self, position // SEGMENT_BYTES, have[:length])
                        self.gained += length
                        self._scheduler.bytes_gained(length)
                    del have[:length]
                    position += length
                if position >= size:
                    return
        except Fault as fault:
            if fault.kind != "broken":
                raise
        raise Fault(
            "broken",
            message(
                "the server has no ranges, and its connection closed after {done:.1f} of {size:.1f} MB",
                done=(position + len(have)) / 1e6,
                size=size / 1e6,
            ),
        )

    def _chunks(self, response: RangeResponse) -> Iterator[bytes]:
        meter = self.meter or ThroughputMeter(self._scheduler.clock)
        for chunk in response.chunks(SEGMENT_BYTES):
            if self.abandoned or self._scheduler.is_over:
                raise Fault("stopped", self.abandoned or message("it was stopped"))
            meter.add(len(chunk))
            self._scheduler.bytes_arrived(self, len(chunk))
            yield chunk
            if meter.stalled():
                raise Fault(
                    "slow", message("almost nothing arrived in {seconds:.0f} s", seconds=STALL_SECONDS)
                )
