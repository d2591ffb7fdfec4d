"""A file inside a zip as a reader: its beginning, its end and its middle, without unpacking all of it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from wheels_index.binary.deflate_blocks import decode_from_middle
from wheels_index.binary.reader import Damaged, NotRead

if TYPE_CHECKING:
    from wheels_index.binary.deflate_blocks import DecodedPart
    from wheels_index.binary.reader import Reader

__all__ = ["DeflatedMember"]

_PIECE_BYTES = 1 << 16  # read of the compressed bytes at first, and twice as much each time after that ...
_MAX_PIECE_BYTES = 1 << 20  # ... up to this
_KEPT_BEFORE_BYTES = 8 << 20  # of what lies before the place that is read beyond these
_SMALL_BYTES = 1 << 20  # compressed: a smaller member is unpacked from its beginning
_KEPT_BYTES = 64 << 20  # of the unpacked beginning that are kept
_TAIL_BYTES = (
    1 << 17,
    1 << 19,
    1 << 21,
    1 << 23,
    1 << 24,
)  # compressed: read of the end, one after the other
_TAILS_BEFORE_ALL = 3
_MAX_TAIL_BYTES = 160 << 20  # unpacked


class DeflatedMember:
    """A deflated file of `size` bytes that is `compressed` in a region of its own.

    What lies near the beginning is unpacked from there, and what lies near the end from the first block that is found
    there. Each read raises `NotRead` where it would need more than `max_bytes` of compressed bytes in all, and
    `Damaged` where they unpack to something else than the archive says.
    """

    def __init__(self, compressed: Reader, size: int, *, max_bytes: int | None = None) -> None:
        self._compressed, self._size = compressed, size
        self._left = compressed.size if max_bytes is None else max_bytes
        self._unlimited = max_bytes is None
        self._head = _Stream(compressed)
        self._forward: _Stream | None = None  # further than what is kept
        self._tail: DecodedPart | None = None
        self._tails_tried = 0

    @property
    def size(self) -> int:
        """The bytes that it unpacks to."""
        return self._size

    @property
    def packed_size(self) -> int:
        """Its bytes in the archive."""
        return self._compressed.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes of what it unpacks to."""
        if offset < 0 or length < 0 or offset + length > self._size:
            raise Damaged(f"bytes {offset} to {offset + length} lie outside of {self._size} bytes")
        end = offset + length
        if end <= len(self._head.content):
            return bytes(self._head.content[offset:end])
        found = self._from_tail(offset, length)
        if found is None and self._is_near_end(offset):
            while found is None and self._grow_tail(offset):
                found = self._from_tail(offset, length)
        return self._from_beginning(offset, length) if found is None else found

    def sample(self, offset: int, length: int) -> DecodedPart | None:
        """Return a part that lies about at `offset`, of `length` compressed bytes; None where no block is found."""
        middle = int(offset / max(1, self._size) * self._compressed.size)
        start = max(0, min(middle, self._compressed.size - length))
        length = min(length, self._compressed.size - start)
        self._spend(length)
        return decode_from_middle(
            self._compressed.read_at(start, length), max_bytes=_MAX_TAIL_BYTES, must_end=False
        )

    def _is_near_end(self, offset: int) -> bool:
        """Whether fewer bytes need to be read from the end than from the beginning."""
        if self._compressed.size <= _SMALL_BYTES or (self._unlimited and self._size <= _KEPT_BYTES):
            return False  # unpacking takes less time than looking for blocks
        return self._size - offset < offset - len(self._head.content)

    def _from_tail(self, offset: int, length: int) -> bytes | None:
        if self._tail is None:
            return None
        start = offset - (self._size - len(self._tail.content))
        if start < 0 or not self._tail.known(start, length):
            return None
        return self._tail.content[start : start + length]

    def _grow_tail(self, offset: int) -> bool:
        """Decode more of the end, if possible from `offset` on; False where no more may be read or would help."""
        if self._unlimited and self._tails_tried >= _TAILS_BEFORE_ALL:
            return False  # unpacking all of it is quicker
        if self._tail is not None:
            ratio = len(self._tail.content) / _TAIL_BYTES[self._tails_tried - 1]
            while self._tails_tried < len(_TAIL_BYTES) - 1 and (
                _TAIL_BYTES[self._tails_tried] * ratio < (self._size - offset) / 2
            ):
                self._tails_tried += 1
        if self._tails_tried == len(_TAIL_BYTES):
            return False
        length = min(_TAIL_BYTES[self._tails_tried], self._compressed.size)
        if length > self._left and not self._unlimited:
            return False
        self._tails_tried += 1
        self._spend(length)
        start = self._compressed.size - length
        part = decode_from_middle(
            self._compressed.read_at(start, length), max_bytes=_MAX_TAIL_BYTES, must_end=True
        )
        if part is not None and len(part.content) <= self._size:
            self._tail = part
        return True

    def _from_beginning(self, offset: int, length: int) -> bytes:
        end = offset + length
        if end <= _KEPT_BYTES:
            while len(self._head.content) < end:
                self._advance(self._head, end)
            return bytes(self._head.content[offset:end])
        if self._forward is None or self._forward.start > offset:
            self._forward = _Stream(self._compressed)
        while self._forward.end < end:
            self._advance(self._forward, end)
            self._forward.forget(offset - _KEPT_BEFORE_BYTES)
        start = offset - self._forward.start
        return bytes(self._forward.content[start : start + length])

    def _advance(self, stream: _Stream, wanted: int) -> None:
        if stream.end > self._size:
            raise Damaged(f"it unpacks to more than {self._size} bytes")
        length = stream.next_length()
        if length:
            self._spend(length)
        stream.advance(wanted)

    def _spend(self, length: int) -> None:
        if self._unlimited:
            return
        if length > self._left:
            raise NotRead(f"more than {self._left} compressed bytes would have to be read")
        self._left -= length


class _Stream:
    """What is unpacked from the beginning on, of which the first part can be forgotten."""

    def __init__(self, compressed: Reader) -> None:
        self._compressed, self._position = compressed, 0
        self._piece_bytes = _PIECE_BYTES
        self._decoder = zlib.decompressobj(-15)
        self.content, self.start = bytearray(), 0

    @property
    def end(self) -> int:
        """The place behind the last byte that is unpacked."""
        return self.start + len(self.content)

    def next_length(self) -> int:
        """Return how many compressed bytes the next step reads."""
        if self._decoder.unconsumed_tail:
            return 0
        return min(self._piece_bytes, self._compressed.size - self._position)

    def advance(self, wanted: int) -> None:
        """Unpack the next piece, but not much more than up to `wanted`; raises `Damaged` at the end of the stream."""
        piece = self._decoder.unconsumed_tail
        if not piece:
            length = self.next_length()
            if not length or self._decoder.eof:
                raise Damaged(f"it ends after {self.end} unpacked bytes")
            piece = self._compressed.read_at(self._position, length)
            self._position += length
            self._piece_bytes = min(_MAX_PIECE_BYTES, 2 * self._piece_bytes)
        try:
            self.content += self._decoder.decompress(piece, max(_PIECE_BYTES, wanted - self.end))
        except zlib.error as error:
            raise Damaged(f"it cannot be unpacked: {error}") from error

    def forget(self, before: int) -> None:
        """Forget what lies before that place."""
        drop = min(len(self.content), max(0, before - self.start))
        if drop > _PIECE_BYTES or drop == len(self.content):
            del self.content[:drop]
            self.start += drop
