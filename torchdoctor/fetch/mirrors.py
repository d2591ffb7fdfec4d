"""Finds a locked wheel on mirrors: reads their pages, measures them, and returns the fastest first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from torchdoctor.sources import SourceListing
from torchdoctor.sources.speed import fastest, measure_all
from wheels_index import InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.lock import LockedWheel
    from torchdoctor.sources import Source

__all__ = ["MirrorLookup"]

_MIN_BYTES = 8_000_000  # a smaller wheel has arrived before its mirrors are measured


class MirrorLookup:
    """Returns the URLs of a wheel. Threads may call it at once; each page is read once."""

    def __init__(self, mirrors: Sequence[Source]) -> None:
        self._listings = [SourceListing(source=mirror) for mirror in mirrors]
        self._lock = threading.Lock()

    def __call__(self, wheel: LockedWheel) -> tuple[str, ...]:
        """Return URLs of the wheel, its own among them unless it is far slower; none when no mirror has it.

        A mirror that lists another hash has another file, and is left out.
        """
        if wheel.sha256 is None or (wheel.size is not None and wheel.size < _MIN_BYTES):
            return ()
        with self._lock:
            listed = [_listed_url(listing, wheel) for listing in self._listings]
        urls = [url for url in listed if url is not None and url != wheel.url]
        if not urls:
            return ()
        return fastest(measure_all(dict.fromkeys([wheel.url, *urls])))


def _listed_url(listing: SourceListing, wheel: LockedWheel) -> str | None:
    try:
        variant = Wheel.from_filename(wheel.filename, url=wheel.url).variant
    except InvalidWheel:
        return None
    for candidate in listing.wheels(wheel.name, variant or "cpu"):
        if candidate.filename == wheel.filename and candidate.sha256 in (None, wheel.sha256):
            return candidate.url
    return None
