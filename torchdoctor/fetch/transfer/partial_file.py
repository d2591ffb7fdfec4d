"""A file while it is fetched: its bytes in place, and a journal beside it of the segments that are there.

The journal holds a checksum of each segment, and on resumption each is read and compared: whatever a kill or
a loss of power left on disk, only what is really there counts as there.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.fetch.transfer.response import Validator
from torchdoctor.fetch.transfer.segments import SEGMENT, SegmentMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Journal", "Part", "parse_journal"]

_FORMAT = 1
_LIMIT = 32 << 20  # bytes of a journal: that of a 100 GB file


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """What a journal says: the file's size, what servers called it, and the CRC-32 of each segment written."""

    size: int
    validators: Mapping[str, Validator] = field(default_factory=dict)
    segments: Mapping[int, int] = field(default_factory=dict)


def parse_journal(text: str) -> Journal | None:
    """Read a journal; None when it is not one of ours. A last line that a kill cut short is passed over."""
    head, _, rest = text.partition("\n")
    first = _json(head)
    size = first.get("size")
    if first.get("torchdoctor-part") != _FORMAT or first.get("segment") != SEGMENT:
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    count, segments, validators = -(-size // SEGMENT), {}, {}
    for line in rest.split("\n")[:-1]:
        index, _, check = line.partition(" ")
        if index.isascii() and index.isdigit() and len(index) < 12 and _is_crc(check):  # noqa: PLR2004
            if int(index) < count:
                segments[int(index)] = int(check, 16)
            continue
        row = _json(line)
        if isinstance(row.get("place"), str):
            validators[row["place"]] = Validator(
                etag=_text(row.get("etag")), last_modified=_text(row.get("last_modified"))
            )
    return Journal(size=size, segments=segments, validators=validators)


def _is_crc(text: str) -> bool:
    return len(text) == 8 and all(letter in "0123456789abcdef" for letter in text)  # noqa: PLR2004


def _json(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class Part:
    """The part file at `path` and its journal beside it. Threads may write different segments at once."""

    def __init__(self, path: Path, journal: Path, size: int, *, keep: bool) -> None:
        self.path, self._journal_path, self.size = path, journal, size
        self.checks: dict[int, int] = {}
        self._turn = threading.Lock()
        self._file = path.open("r+b" if keep else "w+b", buffering=0)
        self._journal = journal.open("ab" if keep else "wb", buffering=0)

    @classmethod
    def create(cls, path: Path, journal: Path, size: int) -> Part:
        """Lay the file out at its full size, so that a full disk shows now; raises OSError."""
        part = cls(path, journal, size, keep=False)
        try:
            part._preallocate()
            head = {"torchdoctor-part": _FORMAT, "segment": SEGMENT, "size": size}
            part._journal.write(json.dumps(head).encode() + b"\n")
        except BaseException:
            part.close()
            raise
        return part

    @classmethod
    def resume(cls, path: Path, journal: Path, size: int | None) -> tuple[Part, Journal] | None:
        """The part of an earlier run with what of it is really there; None when there is nothing to go on from.

        `size` is the file's, where it is known: a part of another size is no use.
        """
        try:
            if journal.stat().st_size > _LIMIT:
                return None
            text = journal.read_bytes().decode("utf-8", "replace")
            found = parse_journal(text)
            if found is None or path.stat().st_size != found.size or size not in (None, found.size):
                return None
            part = cls(path, journal, found.size, keep=True)
        except OSError:
            return None
        if not text.endswith("\n"):
            part._journal.write(b"\n")
        part.checks = {
            index: check for index, check in found.segments.items() if zlib.crc32(part.read(index)) == check
        }
        return part, found

    def _preallocate(self) -> None:
        if self.size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._file.fileno(), 0, self.size)
            except OSError as error:
                # Not every file system can; a full disk is a failure.
                if error.errno not in _CANNOT_ALLOCATE:
                    raise
            else:
                return
        self._file.truncate(self.size)

    def write(self, index: int, data: bytes | bytearray | memoryview) -> None:
        """Put a segment in its place, then note it in the journal; raises OSError."""
        check = zlib.crc32(data)
        with self._turn:
            self._file.seek(index * SEGMENT)
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) or 0 :]
            self._journal.write(f"{index} {check:08x}\n".encode())
            self.checks[index] = check

    def read(self, index: int) -> bytes:
        """A segment as it is on disk."""
        want = min(SEGMENT, self.size - index * SEGMENT)
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), want, index * SEGMENT)
        with self._turn:
            self._file.seek(index * SEGMENT)
            return self._file.read(want) or b""

    def note_validator(self, place: str, validator: Validator) -> None:
        """Record what the server at `place` calls this state of the file."""
        row = {"place": place, "etag": validator.etag, "last_modified": validator.last_modified}
        with self._turn:
            self._journal.write(json.dumps(row).encode() + b"\n")

    def sync(self) -> None:
        """Have it all on disk before going on."""
        os.fsync(self._file.fileno())
        os.fsync(self._journal.fileno())

    def close(self) -> None:
        """Leave both files for the next run."""
        self._file.close()
        self._journal.close()

    def discard(self) -> None:
        """Remove both files."""
        self.close()
        self.remove(self.path, self._journal_path)

    @staticmethod
    def remove(*paths: Path) -> None:
        """Remove files that may not be there."""
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()

    def map(self, done: Iterable[int] | None = None) -> SegmentMap:
        """The map of what is there."""
        return SegmentMap(self.size, self.checks if done is None else done)


def _errnos() -> tuple[int, ...]:
    import errno

    return (errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.ENODEV)


_CANNOT_ALLOCATE = _errnos()
