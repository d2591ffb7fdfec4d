"""Which segments of a file are there, and which span each connection fetches next. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SEGMENT_BYTES", "SegmentMap", "Span", "spans_from_indexes"]

# A killed process loses a segment that is not full yet, and as much that is being read, for each connection. This is
# small, so that 16 connections lose at most 2 MiB.
SEGMENT_BYTES = 64 * 1024


@dataclass(slots=True)
class Span:
    """Bytes that one connection fetches: from `position`, which starts a segment, to before `end`.

    `have` are bytes from `position` on that have arrived and do not fill their segment yet. `whole`: it is the whole
    file from a server without ranges, of which some segments may be there.
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
        self.done = bytearray(-(-size // SEGMENT_BYTES))
        for index in done:
            self.done[index] = 1
        missing = [index for index, there in enumerate(self.done) if not there]
        self._waiting = deque(spans_from_indexes(missing, size))

    def bounds(self, index: int) -> tuple[int, int]:
        """Return the first byte of a segment and the one after its last."""
        return index * SEGMENT_BYTES, min((index + 1) * SEGMENT_BYTES, self.size)

    @property
    def complete(self) -> bool:
        """Whether every segment is done."""
        return all(self.done)

    @property
    def done_bytes(self) -> int:
        """How many bytes are done."""
        count = sum(self.done)
        short = -self.size % SEGMENT_BYTES if self.done and self.done[-1] else 0
        return count * SEGMENT_BYTES - short

    @property
    def waiting_bytes(self) -> int:
        """How many bytes no connection fetches yet."""
        return sum(span.left for span in self._waiting)

    def take(self, limit: int) -> Span | None:
        """Take the first waiting span, of about `limit` bytes and at least a segment; None when all are taken."""
        if not self._waiting:
            return None
        span = self._waiting.popleft()
        whole = max(1, -(-limit // SEGMENT_BYTES)) * SEGMENT_BYTES
        if span.end - span.position > whole:
            rest = span.position + whole
            self._waiting.appendleft(Span(rest, span.end))
            span.end = rest
        return span

    def give_back(self, span: Span) -> None:
        """Let another connection fetch the rest of a span."""
        if span.position < span.end:
            self._waiting.appendleft(span)

    def split(self, span: Span, keep: float = 0.5) -> Span | None:
        """Take the end of a span from its connection, which keeps the share `keep`; None when it is too short."""
        middle = span.next_byte + int(span.left * keep)
        middle = -(-middle // SEGMENT_BYTES) * SEGMENT_BYTES
        middle = max(middle, span.position + SEGMENT_BYTES)
        if not span.next_byte < middle < span.end:
            return None
        rest = Span(middle, span.end)
        span.end = middle
        return rest

    def mark(self, index: int) -> None:
        """A segment is on the disk."""
        self.done[index] = 1

    def forget(self, indexes: Iterable[int]) -> None:
        """Have segments that turned out to be wrong fetched again."""
        wrong = sorted(set(indexes))
        for index in wrong:
            self.done[index] = 0
        self._waiting.extend(spans_from_indexes(wrong, self.size))


def spans_from_indexes(indexes: Iterable[int], size: int) -> list[Span]:
    """Return runs of neighbouring segments as spans, in order."""
    spans: list[Span] = []
    for index in sorted(indexes):
        start, end = index * SEGMENT_BYTES, min((index + 1) * SEGMENT_BYTES, size)
        if spans and spans[-1].end == start:
            spans[-1].end = end
        else:
            spans.append(Span(start, end))
    return spans
