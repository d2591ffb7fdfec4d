"""Where else a locked file lies: looked up on the mirrors' own pages, measured, the fastest first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from torchdoctor.sources.listing import SourceListing
from torchdoctor.sources.speed import fastest, measure_all
from wheels_index import InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.lock.model import LockedWheel
    from torchdoctor.sources.source import Source

__all__ = ["MirrorLookup"]

_WORTH = 8_000_000  # bytes: a smaller file has come before its mirrors are measured


class MirrorLookup:
    """Gives the places of a file. Threads may ask at once; each page is read once."""

    def __init__(self, mirrors: Sequence[Source]) -> None:
        self._shelves = [SourceListing(source=row) for row in mirrors]
        self._turn = threading.Lock()

    def __call__(self, wheel: LockedWheel) -> tuple[str, ...]:
        """URLs of the file, its own among them where it is not far slower; empty when it lies nowhere else.

        A place that lists another hash has another file, and is left out.
        """
        if wheel.sha256 is None or (wheel.size is not None and wheel.size < _WORTH):
            return ()
        with self._turn:
            urls = [url for shelf in self._shelves if (url := _listed(shelf, wheel)) not in (None, wheel.url)]
        if not urls:
            return ()
        return fastest(measure_all(dict.fromkeys([wheel.url, *(url for url in urls if url)])))


def _listed(shelf: SourceListing, wheel: LockedWheel) -> str | None:
    try:
        variant = Wheel.from_filename(wheel.filename, url=wheel.url).variant
    except InvalidWheel:
        return None
    for row in shelf.wheels(wheel.name, variant or "cpu"):
        if row.filename == wheel.filename and row.sha256 in (None, wheel.sha256):
            return row.url
    return None
