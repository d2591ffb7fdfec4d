"""The hash of each file of a wheel, as the wheel's own RECORD gives it.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["RecordedFile", "RecordedHash", "member_hash", "recorded_files"]

_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RecordedHash:
    """The digest of a file, and what it was made with."""

    algorithm: str  # a name of hashlib's
    digest: bytes


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file of a wheel; the hash is None where its RECORD has none, or one that proves nothing, such as MD5."""

    name: str
    size: int  # bytes
    hash: RecordedHash | None


def recorded_files(path: Path) -> Mapping[str, RecordedFile]:
    """Return the files of the wheel at `path`, but its RECORD, by name.

    Raises `OSError`, `ValueError`, `BadZipFile` or `csv.Error` where the wheel cannot be read.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist() if not member.is_dir()}
        record = next(name for name in sizes if name.endswith(".dist-info/RECORD") and name.count("/") == 1)
        text = archive.read(record).decode("utf-8")
    rows = {
        row[0]: row[1] if len(row) > 1 else "" for row in csv.reader(io.StringIO(text, newline="")) if row
    }
    return {
        name: RecordedFile(name, size, _parse(rows.get(name, "")))
        for name, size in sizes.items()
        if name != record
    }


def _parse(text: str) -> RecordedHash | None:
    algorithm, _, digest = text.partition("=")
    if algorithm not in _ALGORITHMS:
        return None
    try:
        return RecordedHash(algorithm, base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)))
    except (binascii.Error, ValueError):
        return None


def member_hash(path: Path, name: str, algorithm: str) -> bytes:
    """Return the digest of a file in the wheel at `path`, which is read; raises `OSError` and `BadZipFile`."""
    digest = hashlib.new(algorithm)
    with open_regular(path) as file, zipfile.ZipFile(file) as archive, archive.open(name) as member:
        while block := member.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.digest()
