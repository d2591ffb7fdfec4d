"""Reading a file in pieces: what every reader of a binary format stands on, whether the file is local or far away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Buffer, Self

__all__ = [
    "BinaryError",
    "BlockReader",
    "BytesReader",
    "Damaged",
    "FileReader",
    "LimitedReader",
    "NotRead",
    "Reader",
    "ReaderFile",
    "Region",
]


class BinaryError(ValueError):
    """Root of what the readers of this package raise."""


class Damaged(BinaryError):
    """The file contradicts itself, or is none of its format."""


class NotRead(BinaryError):
    """What was asked for lies beyond the bytes that may be read."""


class Reader(Protocol):
    """A file that can be read in pieces."""

    @property
    def size(self) -> int:
        """Return the bytes of the whole file."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on.

        Raises `Damaged` where the file ends before that, and `NotRead` where they are more than may be read.
        """
        ...


def _check(reader: Reader, offset: int, length: int) -> None:
    if offset < 0 or length < 0 or offset + length > reader.size:
        raise Damaged(f"bytes {offset} to {offset + length} lie outside of a file of {reader.size} bytes")


class BytesReader:
    """Bytes that are in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return len(self._content)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes."""
        _check(self, offset, length)
        return self._content[offset : offset + length]


class FileReader:
    """A file on a disk, by its path or as a number that the system gave it; opening and reading it raise `OSError`."""

    def __init__(self, path: Path | int) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: PTH123, SIM115  (`close` closes it)
        self._size = self._file.seek(0, io.SEEK_END)

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes."""
        _check(self, offset, length)
        self._file.seek(offset)
        pieces = bytearray()
        while len(pieces) < length:
            piece = self._file.read(length - len(pieces))
            if not piece:
                raise Damaged("the file became shorter while it was read")
            pieces += piece
        return bytes(pieces)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """The file, open."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


class Region:
    """A part of a file as a file of its own."""

    def __init__(self, reader: Reader, offset: int, size: int) -> None:
        _check(reader, offset, size)
        self._reader, self._offset, self._size = reader, offset, size

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes."""
        _check(self, offset, length)
        return self._reader.read_at(self._offset + offset, length)


class LimitedReader:
    """Counts the bytes that are read, and refuses those above a limit."""

    def __init__(self, reader: Reader, max_bytes: int) -> None:
        self._reader, self._left = reader, max_bytes

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes."""
        if length > self._left:
            raise NotRead(f"{length} bytes are more than the {self._left} that may still be read")
        self._left -= length
        return self._reader.read_at(offset, length)


class BlockReader:
    """Reads whole blocks and keeps the last ones, so that many small reads become few large ones."""

    def __init__(self, reader: Reader, *, block_bytes: int = 1 << 16, max_blocks: int = 256) -> None:
        self._reader, self._block_bytes, self._max_blocks = reader, block_bytes, max_blocks
        self._blocks: dict[int, bytes] = {}

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes."""
        _check(self, offset, length)
        if not length:
            return b""
        first, last = offset // self._block_bytes, (offset + length - 1) // self._block_bytes
        if last - first >= self._max_blocks:
            return self._reader.read_at(offset, length)
        self._load([number for number in range(first, last + 1) if number not in self._blocks])
        whole = b"".join(self._blocks[number] for number in range(first, last + 1))
        self._forget(keep=range(first, last + 1))
        start = offset - first * self._block_bytes
        return whole[start : start + length]

    def _load(self, missing: list[int]) -> None:
        """Read the blocks; those that lie beside each other in one piece."""
        while missing:
            count = 1
            while count < len(missing) and missing[count] == missing[0] + count:
                count += 1
            start = missing[0] * self._block_bytes
            end = min(self.size, start + count * self._block_bytes)
            piece = self._reader.read_at(start, end - start)
            for index in range(count):
                at = index * self._block_bytes
                self._blocks[missing[0] + index] = piece[at : at + self._block_bytes]
            missing = missing[count:]

    def _forget(self, keep: range) -> None:
        for number in list(self._blocks):
            if len(self._blocks) <= self._max_blocks:
                return
            if number not in keep:
                del self._blocks[number]


class ReaderFile(io.RawIOBase):
    """A reader as a file object, for `zipfile`."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader, self._position = reader, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the place from which the next bytes are read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._reader.size}[whence]
        if start + offset < 0:
            raise Damaged("it points to a place before its beginning")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """The place from which the next bytes are read."""
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the buffer, as far as there are bytes."""
        view = memoryview(buffer).cast("B")
        length = max(0, min(len(view), self._reader.size - self._position))
        view[:length] = self._reader.read_at(self._position, length) if length else b""
        self._position += length
        return length
