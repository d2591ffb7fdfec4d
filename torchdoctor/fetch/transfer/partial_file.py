"""A file that is being downloaded, and a journal of the segments that are complete.

The journal holds a checksum of each segment. A resumed download reads every segment and compares it: whatever a kill or
a loss of power left on the disk, only segments that are really there count.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs.own_files import create_own_file, open_own_file
from torchdoctor.fetch.transfer.response import Validator
from torchdoctor.fetch.transfer.segments import SEGMENT_BYTES, SegmentMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["MAX_UNVOUCHED_BYTES", "Journal", "PartialFile", "parse_journal"]

# What a file system answers that cannot allocate space in advance.
_CANNOT_ALLOCATE = (errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.ENODEV)
_FORMAT = 1
# A file whose size no index, lock or fact gives may have no more: far above every wheel that is published.
MAX_UNVOUCHED_BYTES = 32 << 30
_MAX_JOURNAL_BYTES = 32 << 20  # bytes of a journal: that of a 100 GB file


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """The content of a journal."""

    size: int  # bytes of the file
    validators: Mapping[str, Validator] = field(default_factory=dict)  # by the key of the origin
    segments: Mapping[int, int] = field(default_factory=dict)  # CRC-32 by the index of the segment


def parse_journal(text: str) -> Journal | None:
    """Read a journal; None when it is not one of ours. A last line that a kill cut short is skipped."""
    head, _, rest = text.partition("\n")
    first = _json(head)
    size = first.get("size")
    if first.get("torchdoctor-part") != _FORMAT or first.get("segment") != SEGMENT_BYTES:
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    count, segments, validators = -(-size // SEGMENT_BYTES), {}, {}
    for line in rest.split("\n")[:-1]:
        index, _, check = line.partition(" ")
        if index.isascii() and index.isdigit() and len(index) < 12 and _is_crc(check):  # noqa: PLR2004
            if int(index) < count:
                segments[int(index)] = int(check, 16)
            continue
        entry = _json(line)
        if isinstance(entry.get("place"), str):
            validators[entry["place"]] = Validator(
                etag=_text(entry.get("etag")), last_modified=_text(entry.get("last_modified"))
            )
    return Journal(size=size, segments=segments, validators=validators)


def _is_crc(text: str) -> bool:
    return len(text) == 8 and all(letter in "0123456789abcdef" for letter in text)  # noqa: PLR2004


def _json(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _refuse_without_room(folder: Path, size: int) -> None:
    if size > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class PartialFile:
    """The partial file at `path` and its journal. Threads may write different segments at once."""

    def __init__(self, path: Path, journal: Path, size: int, *, keep: bool) -> None:
        self.path, self._journal_path, self.size = path, journal, size
        self.checks: dict[int, int] = {}
        self._lock = threading.Lock()
        opened = open_own_file if keep else create_own_file
        self._file = opened(path)
        try:
            self._journal = opened(journal)
        except BaseException:
            self._file.close()
            raise
        self._journal.seek(0, os.SEEK_END)

    @classmethod
    def create(cls, path: Path, journal: Path, size: int, *, reserve: bool = True) -> PartialFile:
        """Create the file at its full size; raises `OSError`, also where there is no room for it.

        Its space is reserved, so that a full disk shows now, but not with `reserve` false: a size that only a server
        gives may be a lie.
        """
        part = cls(path, journal, size, keep=False)
        try:
            _refuse_without_room(path.parent, size)
            part._set_size(reserve=reserve)
            head = {"torchdoctor-part": _FORMAT, "segment": SEGMENT_BYTES, "size": size}
            part._journal.write(json.dumps(head).encode() + b"\n")
        except BaseException:
            part.close()
            cls.remove(path, journal)
            raise
        return part

    @classmethod
    def resume(cls, path: Path, journal: Path, size: int | None) -> tuple[PartialFile, Journal] | None:
        """Return the partial file of an earlier run and its journal; None when there is none to continue.

        `size` is the file's, where it is known: a partial file of another size is useless.
        """
        try:
            with open_own_file(journal) as opened:
                text = opened.read(_MAX_JOURNAL_BYTES + 1).decode("utf-8", "replace")
            found = parse_journal(text) if len(text) <= _MAX_JOURNAL_BYTES else None
            if found is None or path.lstat().st_size != found.size or size not in (None, found.size):
                return None
            if found.size > MAX_UNVOUCHED_BYTES and size is None:
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

    def _set_size(self, *, reserve: bool) -> None:
        if reserve and self.size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._file.fileno(), 0, self.size)
            except OSError as error:
                # Some file systems cannot do this; a full disk is a failure.
                if error.errno not in _CANNOT_ALLOCATE:
                    raise
            else:
                return
        self._file.truncate(self.size)

    def write(self, index: int, data: bytes | bytearray | memoryview) -> None:
        """Write a segment, then note it in the journal; raises `OSError`."""
        check = zlib.crc32(data)
        with self._lock:
            self._file.seek(index * SEGMENT_BYTES)
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) or 0 :]
            self._journal.write(f"{index} {check:08x}\n".encode())
            self.checks[index] = check

    def read(self, index: int) -> bytes:
        """Return a segment as it is on the disk."""
        length = min(SEGMENT_BYTES, self.size - index * SEGMENT_BYTES)
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), length, index * SEGMENT_BYTES)
        with self._lock:
            self._file.seek(index * SEGMENT_BYTES)
            return self._file.read(length) or b""

    def note_validator(self, origin_key: str, validator: Validator) -> None:
        """Write what an origin calls this state of the file into the journal."""
        entry = {"place": origin_key, "etag": validator.etag, "last_modified": validator.last_modified}
        with self._lock:
            self._journal.write(json.dumps(entry).encode() + b"\n")

    def give_back_space(self) -> None:
        """Free what was reserved behind the last segment that is there."""
        last = max(self.checks, default=-1)
        with self._lock, contextlib.suppress(OSError):
            self._file.truncate(min((last + 1) * SEGMENT_BYTES, self.size))
            self._file.truncate(self.size)

    def sync(self) -> None:
        """Return once all that was written is on the disk."""
        os.fsync(self._file.fileno())
        os.fsync(self._journal.fileno())

    def close(self) -> None:
        """Close both files, which stay for the next run."""
        self._file.close()
        self._journal.close()

    @staticmethod
    def remove(*paths: Path) -> None:
        """Remove files if they are there."""
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()

    def map(self, done: Iterable[int] | None = None) -> SegmentMap:
        """Return a map of the segments that are there."""
        return SegmentMap(self.size, self.checks if done is None else done)
