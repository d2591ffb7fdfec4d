"""Lock -> its files for which no index gives a hash: uv then locks the hash of its own download and does not say so."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from torchdoctor.core.threads import start_thread
from torchdoctor.sources import SourceListing
from torchdoctor.sources.listed_file import place_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from torchdoctor.lock.model import Lock, LockedWheel
    from torchdoctor.sources import Sources

__all__ = ["MissingHashCheck"]

_PAGE_COUNT = 8  # pages read at once
_WAIT_SECONDS = 10.0  # for pages that are still loading when everything else is done


class MissingHashCheck:
    """Reads pages in background threads; `found()` waits for them.

    A file whose size uv knows comes from an index in JSON (PEP 691), which gives hashes, or is one of the plan's,
    which are `known`. Only for other files is the page read again.
    """

    def __init__(self, lock: Lock, sources: Sources, *, known: Collection[str], offline: bool) -> None:
        indexes = [*sources.indexes, *([sources.default_index] if sources.default_index else [])]
        self._listings = [SourceListing(source=source) for source in indexes]
        unsure = [
            wheel
            for wheel in lock.wheels
            if not offline
            and wheel.size is None
            and wheel.filename not in known
            and not wheel.url.startswith("file:")
        ]
        self._slots = threading.BoundedSemaphore(_PAGE_COUNT)
        self._hashless: set[str] = set()
        # Daemons: where the fetch fails meanwhile, the program ends without waiting for a page.
        self._checks = [(wheel, start_thread(partial(self._check, wheel))) for wheel in unsure]

    def found(self) -> tuple[LockedWheel, ...]:
        """Return the files that are listed without a hash; those of a page that cannot be read are not among them."""
        until = time.monotonic() + _WAIT_SECONDS
        for _, thread in self._checks:
            thread.join(max(0.0, until - time.monotonic()))
        return tuple(wheel for wheel, _ in self._checks if wheel.filename in self._hashless)

    def _check(self, wheel: LockedWheel) -> None:
        with self._slots:
            if self._is_hashless(wheel):
                self._hashless.add(wheel.filename)

    def _is_hashless(self, wheel: LockedWheel) -> bool:
        for listing in self._listings:
            for listed in listing.wheels(wheel.name, "cpu"):
                if listed.filename == wheel.filename and place_of(listed.url or "") == place_of(wheel.url):
                    return listed.sha256 is None
        return False
