"""The SHA-256 of a file that arrives in pieces: hashed from the start on, as far as there is no gap."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.partial_file import Part

__all__ = ["RunningHash"]

_AT_ONCE = 32  # segments


class RunningHash:
    """Reads `part` back as its segments come, so that little is left to hash behind the last byte."""

    def __init__(self, part: Part) -> None:
        self._part, self._sha, self._next = part, hashlib.sha256(), 0

    def ahead(self, done: bytearray) -> bool:
        """Hash some more of what is `done`; whether there was any."""
        first = self._next
        while self._next < len(done) and done[self._next] and self._next - first < _AT_ONCE:
            self._sha.update(self._part.read(self._next))
            self._next += 1
        return self._next > first

    @property
    def hexdigest(self) -> str:
        """Of what was hashed so far."""
        return self._sha.hexdigest()
