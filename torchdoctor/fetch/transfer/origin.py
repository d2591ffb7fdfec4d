"""A place that has the file, and what was learnt of it on the way."""

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
    """`refused` says why it is asked no more, and `status` with which answer it said so.

    `rate` is that of its last connection in bytes a second;
    `misses` counts failures that brought nothing while another place might.
    """

    url: str
    ranges: bool = True
    validator: Validator | None = None
    refused: str | None = None
    status: int | None = None
    rate: float = 0.0
    lanes: int = 0
    arrived: int = 0
    misses: int = 0

    def refuse(self, fault: Fault) -> None:
        """Ask it no more."""
        self.refused, self.status = f"{self.host}: {fault.why}", fault.status

    @property
    def place(self) -> str:
        """The URL as it may be shown."""
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
    """Which place gets the next connection: one not tried yet, then the fastest; None when all refused.

    A place without ranges serves alone or not at all.
    """
    usable = [row for row in origins if row.refused is None]
    ranged = [row for row in usable if row.ranges]
    fresh = [row for row in ranged if not (row.lanes or row.rate or row.misses)]
    if fresh:
        return fresh[0]
    if ranged:
        return max(ranged, key=lambda row: (-row.misses, row.rate))
    return next(iter(usable), None)
