"""A URL that has the file, and what the transfer has learnt about its server."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from torchdoctor.core.urls import redact_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.fetch.transfer.faults import Fault
    from torchdoctor.fetch.transfer.response import Validator

__all__ = ["Origin", "best_origin"]


@dataclass(slots=True)
class Origin:
    """A URL that has the file."""

    url: str
    own: bool = True  # the place that the lock names, not a mirror's
    ranges: bool = True  # as far as is known, the server answers requests for ranges
    validator: Validator | None = None  # what the server calls this state of the file
    refused: str | None = None  # why it is not used any more
    status: int | None = None  # the HTTP status with which it refused
    rate: float = 0.0  # bytes a second of its last connection
    connections: int = 0
    arrived: int = 0  # bytes written to the disk
    heard: float = 0.0  # when its last byte came, by the clock of the transfer
    misses: int = 0  # failures without progress, while there was another origin

    def refuse(self, fault: Fault) -> None:
        """Use it no more."""
        self.refused, self.status = f"{self.host}: {fault.reason}", fault.status

    @property
    def place(self) -> str:
        """The URL without credentials."""
        return redact_url(self.url)

    @property
    def host(self) -> str:
        """The host alone."""
        return urlsplit(self.url).hostname or "?"

    @property
    def key(self) -> str:
        """A name for a journal that holds no credentials."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


def best_origin(origins: Sequence[Origin]) -> Origin | None:
    """Return the origin that gets the next connection: one not tried yet, then the fastest; None when all refused.

    An origin without ranges serves alone or not at all.
    """
    usable = [origin for origin in origins if origin.refused is None]
    ranged = [origin for origin in usable if origin.ranges]
    untried = [origin for origin in ranged if not (origin.connections or origin.rate or origin.misses)]
    if untried:
        return untried[0]
    if ranged:
        return max(ranged, key=lambda origin: (-origin.misses, origin.rate))
    return next(iter(usable), None)
