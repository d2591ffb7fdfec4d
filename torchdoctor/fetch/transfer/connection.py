"""One connection of a transfer: takes a span, asks for it, writes its segments, tries again while there is progress."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.response import Answer, ask
from torchdoctor.fetch.transfer.retry import RetryPolicy
from torchdoctor.fetch.transfer.segments import SEGMENT, Span
from torchdoctor.fetch.transfer.throughput import SLOW_SECONDS, ThroughputMeter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.fetch.transfer.origin import Origin
    from torchdoctor.fetch.transfer.scheduler import Transfer

__all__ = ["Connection"]


class Connection(threading.Thread):
    """Works for `transfer` on `origin`; `answer` is one that is open already, and whose body starts at 0."""

    def __init__(self, transfer: Transfer, origin: Origin, answer: Answer | None = None) -> None:
        super().__init__(name="torchdoctor-lane", daemon=True)
        self._transfer, self.origin = transfer, origin
        self.first = answer
        self.answer: Answer | None = None
        self.span: Span | None = None
        self.meter: ThroughputMeter | None = None
        self.rate = 0.0
        self.gained = 0
        self.given_up: str | None = None

    def run(self) -> None:
        """Work until nothing is left to take or the transfer has no more use for this connection."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  (it goes on in the thread that waits for the transfer)
            self._transfer.crashed(error)
        finally:
            self._transfer.left(self)

    def give_up(self, why: str) -> None:
        """Wake the lane from its wait for bytes and have it leave; called by another thread."""
        self.given_up = why
        answer = self.answer
        if answer is not None:
            answer.stop()

    def _work(self) -> None:
        patience = RetryPolicy()
        while (span := self._transfer.next_span(self)) is not None:
            self.span = span
            while True:
                before = self.gained
                try:
                    self._fetch(span)
                    break
                except Fault as fault:
                    if not self._transfer.go_on(self, fault, self.gained - before, patience):
                        self.span = None
                        self._transfer.give_back(span)
                        return
            self.span = None

    def _fetch(self, span: Span) -> None:
        if span.position >= span.end:
            return
        answer, self.first = self.first, None
        if answer is None:
            answer = ask(
                self.origin.url, span.next_byte, span.end, self.origin.validator, ranges=self.origin.ranges
            )
        self.answer, self.meter = answer, ThroughputMeter()
        try:
            self._transfer.accept(self, answer)
            if answer.ranged:
                self._read(answer, span)
            else:
                self._read_all(answer)
            self._transfer.answered(self.meter.rate)
        finally:
            self.rate = self.meter.rate
            self.answer = self.meter = None
            answer.close()

    def _read(self, answer: Answer, span: Span) -> None:
        for chunk in self._chunks(answer):
            self.gained += len(chunk)
            self._transfer.kept(len(chunk))
            place = 0
            while span.position < span.end and place < len(chunk):
                room = min(SEGMENT, self._transfer.size - span.position)
                piece = chunk[place : place + room - len(span.have)]
                place += len(piece)
                span.have += piece
                if len(span.have) < room:
                    break
                self._transfer.put(self, span.position // SEGMENT, span.have)
                span.have = bytearray()
                span.position += room
            if span.position >= span.end:
                return
        raise Fault("broken", message("the connection closed before the end"))

    def _read_all(self, answer: Answer) -> None:
        """The whole file from its first byte, for a server without ranges; what is there already is passed over."""
        size, position, have = self._transfer.size, 0, bytearray()
        try:
            for chunk in self._chunks(answer):
                have += chunk
                while position < size:
                    room = min(SEGMENT, size - position)
                    if len(have) < room:
                        break
                    if not self._transfer.has(position // SEGMENT):
                        self._transfer.put(self, position // SEGMENT, have[:room])
                        self.gained += room
                        self._transfer.kept(room)
                    del have[:room]
                    position += room
                if position >= size:
                    return
        except Fault as fault:
            if fault.kind != "broken":
                raise
        why = "the server has no ranges, and its connection closed after"
        raise Fault("broken", f"{why} {(position + len(have)) / 1e6:.1f} of {size / 1e6:.1f} MB")

    def _chunks(self, answer: Answer) -> Iterator[bytes]:
        meter = self.meter or ThroughputMeter()
        for chunk in answer.chunks(SEGMENT):
            if self.given_up or self._transfer.over:
                raise Fault("stopped", self.given_up or message("it was stopped"))
            meter.add(len(chunk))
            self._transfer.arrived(self, len(chunk))
            yield chunk
            if meter.stalled():
                raise Fault("slow", message("next to nothing came in {seconds:.0f} s", seconds=SLOW_SECONDS))
