"""Decode the end or the middle of a deflate stream without its beginning.

A deflate stream is a chain of blocks, and each can be decoded where its first bit is known, except for what it repeats
from the 32 KiB before it. The first bits are found by trying: of 1,000 bit positions about two can begin a block, and a
wrong one fails within some bytes. What is repeated from before is found by decoding twice, with two beginnings that
differ in every byte: a byte that comes out the same both times does not depend on them.
https://www.rfc-editor.org/rfc/rfc1951
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DecodedPart", "decode_from_middle"]

_WINDOW_BYTES = 1 << 15
_ZEROS, _ONES = b"\0" * _WINDOW_BYTES, b"\xff" * _WINDOW_BYTES
_STEP_BYTES = 1 << 14  # searched for beginnings of blocks at a time
_TRIAL_BYTES = 1 << 13  # decoded of each before the whole is
_COMPARED_BYTES = 1 << 20  # at a time
_NOT_ZERO = re.compile(rb"[^\0]+(?:\0{1,8}[^\0]+)*")
_CODE_COUNTS = 30  # what the number of codes, less its least, is below
# The first 16 bits of a block with codes of its own that is not the last: 0, then 2 in two bits, then counts of codes.
_FIRST = re.escape(bytes(4 + (count << 3) for count in range(_CODE_COUNTS)))
_SECOND = re.escape(bytes(byte for byte in range(256) if byte & 31 < _CODE_COUNTS))
_OWN_CODES = re.compile(b"(?=[" + _FIRST + b"][" + _SECOND + b"])", re.DOTALL)
_CODE_SPACE = 128  # 2 ** 7: the longest code of a code length has 7 bits


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodedPart:
    """A part of what a deflate stream unpacks to; `ended` says whether it reaches the end of the stream."""

    content: bytes
    _dependent: tuple[
        tuple[int, int], ...
    ]  # where it depends on what stands before it: starts and ends, in order
    ended: bool

    def known(self, start: int, length: int) -> bool:
        """Tell whether these bytes do not depend on what stands before the part."""
        place = bisect_right(self._dependent, (start, len(self.content)))
        before, after = self._dependent[place - 1 : place], self._dependent[place : place + 1]
        return not (before and before[0][1] > start) and not (after and after[0][0] < start + length)


def decode_from_middle(data: bytes, *, max_bytes: int, must_end: bool) -> DecodedPart | None:
    """Decode `data`, a piece of a stream, from the first beginning of a block on; None where none is found.

    With `must_end` the piece reaches the stream's end, and only a chain of blocks that ends there counts.
    Not more than `max_bytes` are unpacked.
    """
    shifted = _Shifted(data)
    for start in range(0, len(data), _STEP_BYTES):
        for bit in _block_starts(shifted, start, min(len(data), start + _STEP_BYTES)):
            if not _begins_block(shifted.from_bit(bit, _TRIAL_BYTES)):
                continue
            try:
                return _decode(shifted.from_bit(bit), max_bytes, must_end=must_end)
            except zlib.error:
                continue
    return None


class _Shifted:
    """The data as it stands from each of the eight bits of its first byte on."""

    def __init__(self, data: bytes) -> None:
        number = int.from_bytes(data, "little")
        self.by_bits = [data, *((number >> bits).to_bytes(len(data), "little") for bits in range(1, 8))]

    def from_bit(self, bit: int, length: int | None = None) -> bytes:
        start = bit >> 3
        data = self.by_bits[bit & 7][start : None if length is None else start + length]
        return b"\0" + data[1:] if _is_stored(data) else data


def _block_starts(shifted: _Shifted, start: int, end: int) -> Iterator[int]:
    """Yield the bits between two bytes at which a block can begin, in their order."""
    bits = []
    for shift, data in enumerate(shifted.by_bits):
        bits += [
            match.start() * 8 + shift
            for match in _OWN_CODES.finditer(data, start, end + 1)
            if match.start() < end and _has_complete_code(data[match.start() : match.start() + 10])
        ]
    # A block that is stored as it is: after its three bits comes a whole byte, then its length and the complement.
    data = shifted.by_bits[0]
    bits += [
        (place - 1) * 8
        for place in range(max(1, start), min(end, len(data) - 4))
        if data[place] ^ data[place + 2] == 0xFF and data[place + 1] ^ data[place + 3] == 0xFF  # noqa: PLR2004
    ]
    yield from sorted(bits)


def _has_complete_code(head: bytes) -> bool:
    """Tell whether the lengths of the code that the codes are written in make a complete code."""
    number = int.from_bytes(head, "little")
    count = ((number >> 13) & 15) + 4
    lengths, filled = number >> 17, 0
    for _ in range(count):
        if length := lengths & 7:
            filled += _CODE_SPACE >> length
        lengths >>= 3
    return filled == _CODE_SPACE


def _is_stored(data: bytes) -> bool:
    """Tell whether a stored block begins here. The bits before its length are not its own, and are set to zero."""
    return len(data) > 5 and data[1] ^ data[3] == 0xFF and data[2] ^ data[4] == 0xFF  # noqa: PLR2004


def _begins_block(data: bytes) -> bool:
    try:
        zlib.decompressobj(-15, zdict=_ZEROS).decompress(data, _COMPARED_BYTES)
    except zlib.error:
        return False
    return True


def _decode(data: bytes, max_bytes: int, *, must_end: bool) -> DecodedPart | None:
    """Decode from the beginning of a block on; raises `zlib.error` where it was none."""
    decoder = zlib.decompressobj(-15, zdict=_ZEROS)
    content = decoder.decompress(data, max_bytes)
    if must_end and len(content) == max_bytes and not decoder.eof:
        return None  # the end lies too far away, whichever block it is
    # The bits that were shifted out at the beginning leave up to a byte of zeros at the end.
    if must_end and not (decoder.eof and len(decoder.unused_data) <= 1):
        raise zlib.error("it does not end where the stream does")
    dependent = tuple(_dependent_ranges(data, content))
    return DecodedPart(content=content, _dependent=dependent, ended=decoder.eof)


def _dependent_ranges(data: bytes, content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where something else comes out with another beginning."""
    decoder, start = zlib.decompressobj(-15, zdict=_ONES), 0
    while start < len(content):
        other = decoder.decompress(data, _COMPARED_BYTES)
        data = decoder.unconsumed_tail
        same = content[start : start + len(other)]
        if other != same:
            differing = int.from_bytes(other, "little") ^ int.from_bytes(same, "little")
            for match in _NOT_ZERO.finditer(differing.to_bytes(len(other), "little")):
                yield start + match.start(), start + match.end()
        start += len(other)
