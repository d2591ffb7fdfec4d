"""SHA-256 digests of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileDigest", "sha256_of"]

_BLOCK_BYTES = 1 << 23


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDigest:
    """What identifies the content of a file."""

    sha256: str  # 64 lower-case hex digits
    size: int  # bytes


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as lower-case hex digits; raises `OSError` where it cannot be read."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
