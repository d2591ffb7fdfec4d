"""Lock -> its files for which no index gives a hash: uv takes that of its own download and does not say so."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from torchdoctor.sources.listing import SourceListing

if TYPE_CHECKING:
    from collections.abc import Collection

    from torchdoctor.lock.model import Lock, LockedWheel
    from torchdoctor.sources.order import Sources

__all__ = ["MissingHashCheck"]

_PAGES = 8  # read at once
_WAIT = 10.0  # seconds for what is still on its way when everything else is done


class MissingHashCheck:
    """Looks while other work goes on; whoever asks waits for the rest.

    A file of which uv knows the size comes from an index in JSON (PEP 691) or is one of the plan's, which are known;
    only for the others is the page read again.
    """

    def __init__(self, locked: Lock, sources: Sources, *, known: Collection[str], offline: bool) -> None:
        indexes = [*sources.indexes, *([sources.default_index] if sources.default_index else [])]
        self._shelves = [SourceListing(source=row) for row in indexes]
        doubted = [
            row
            for row in locked.wheels
            if not offline
            and row.size is None
            and row.filename not in known
            and not row.url.startswith("file:")
        ]
        self._turn = threading.BoundedSemaphore(_PAGES)
        self._hashless: set[str] = set()
        # Daemons: where the fetch beside them fails, the program ends without waiting for a page.
        self._asked = [
            (row, threading.Thread(target=self._look, args=(row,), daemon=True)) for row in doubted
        ]
        for _, thread in self._asked:
            thread.start()

    def found(self) -> tuple[LockedWheel, ...]:
        """The files for which the page that lists them gives no hash; a page that cannot be read says nothing."""
        until = time.monotonic() + _WAIT
        for _, thread in self._asked:
            thread.join(max(0.0, until - time.monotonic()))
        return tuple(row for row, _ in self._asked if row.filename in self._hashless)

    def _look(self, wheel: LockedWheel) -> None:
        with self._turn:
            if self._without(wheel):
                self._hashless.add(wheel.filename)

    def _without(self, wheel: LockedWheel) -> bool:
        for shelf in self._shelves:
            for row in shelf.wheels(wheel.name, "cpu"):
                if row.filename == wheel.filename and row.url == wheel.url:
                    return row.sha256 is None
        return False
