"""Which parts of a file are there, and which part each connection fetches next. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SEGMENT", "SegmentMap", "Span", "spans_of"]

# What a killed process loses for each connection is a segment that is not full yet, and as much that is just being
# read. Small, so that 16 connections lose 2 MiB at the most.
SEGMENT = 64 * 1024


@dataclass(slots=True)
class Span:
    """Bytes that one connection is to fetch: from `position`, which starts a segment, to before `end`.

    `have` are bytes from `position` on that have arrived and do not fill their segment yet. `whole` is the
    whole file from a server without ranges, of which some segments may be there.
    """

    position: int
    end: int
    have: bytearray = field(default_factory=bytearray)
    whole: bool = False

    @property
    def next_byte(self) -> int:
        """The first byte that has not arrived."""
        return self.position + len(self.have)

    @property
    def left(self) -> int:
        """How many bytes have not arrived."""
        return self.end - self.next_byte


class SegmentMap:
    """The segments of a file of `size` bytes: done, being fetched, or waiting to be taken."""

    def __init__(self, size: int, done: Iterable[int] = ()) -> None:
        self.size = size
        self.done = bytearray(-(-size // SEGMENT))
        for index in done:
            self.done[index] = 1
        missing = [index for index, there in enumerate(self.done) if not there]
        self._waiting = deque(spans_of(missing, size))

    def bounds(self, index: int) -> tuple[int, int]:
        """The first byte of a segment and the one behind its last."""
        return index * SEGMENT, min((index + 1) * SEGMENT, self.size)

    @property
    def complete(self) -> bool:
        """Whether every segment is done."""
        return all(self.done)

    @property
    def done_bytes(self) -> int:
        """How many bytes are done."""
        count = sum(self.done)
        short = -self.size % SEGMENT if self.done and self.done[-1] else 0
        return count * SEGMENT - short

    @property
    def waiting_bytes(self) -> int:
        """How many bytes no connection has taken."""
        return sum(span.left for span in self._waiting)

    def take(self, limit: int) -> Span | None:
        """The first waiting bytes, about `limit` of them and at least a segment; None when all are taken."""
        if not self._waiting:
            return None
        span = self._waiting.popleft()
        whole = max(1, -(-limit // SEGMENT)) * SEGMENT
        if span.end - span.position > whole:
            rest = span.position + whole
            self._waiting.appendleft(Span(rest, span.end))
            span.end = rest
        return span

    def give_back(self, span: Span) -> None:
        """Let another connection have what is left of a span."""
        if span.position < span.end:
            self._waiting.appendleft(span)

    def split(self, span: Span, keep: float = 0.5) -> Span | None:
        """Take the end of a span from its connection, which keeps a share; None when it is too short to share."""
        middle = span.next_byte + int((span.end - span.next_byte) * keep)
        middle = -(-middle // SEGMENT) * SEGMENT
        middle = max(middle, span.position + SEGMENT)
        if not span.next_byte < middle < span.end:
            return None
        rest = Span(middle, span.end)
        span.end = middle
        return rest

    def mark(self, index: int) -> None:
        """A segment is on disk."""
        self.done[index] = 1

    def forget(self, indexes: Iterable[int]) -> None:
        """Segments that turned out to be wrong are to be fetched again."""
        wrong = sorted(set(indexes))
        for index in wrong:
            self.done[index] = 0
        self._waiting.extend(spans_of(wrong, self.size))


def spans_of(indexes: Iterable[int], size: int) -> list[Span]:
    """Runs of neighbouring segments as spans, in order."""
    spans: list[Span] = []
    for index in sorted(indexes):
        start, end = index * SEGMENT, min((index + 1) * SEGMENT, size)
        if spans and spans[-1].end == start:
            spans[-1].end = end
        else:
            spans.append(Span(start, end))
    return spans
