"""The SHA-256 of a file that arrives in segments: hashed from its start up to the first gap."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.partial_file import PartialFile

__all__ = ["IncrementalHash"]

_STEP_SEGMENTS = 32  # segments


class IncrementalHash:
    """Hashes `part` while its segments arrive, so that little is left to hash after the last one."""

    def __init__(self, part: PartialFile) -> None:
        self._part, self._sha, self._next = part, hashlib.sha256(), 0

    def ahead(self, done: bytearray) -> bool:
        """Hash a few more of the segments that are `done`; return whether there were any."""
        first = self._next
        while self._next < len(done) and done[self._next] and self._next - first < _STEP_SEGMENTS:
            self._sha.update(self._part.read(self._next))
            self._next += 1
        return self._next > first

    @property
    def hexdigest(self) -> str:
        """The digest of what was hashed so far."""
        return self._sha.hexdigest()
