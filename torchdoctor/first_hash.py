"""Lock -> its files for which no index gives a hash: uv takes that of its own download and does not say so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from torchdoctor.sources.shelf import SourceShelf

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Future

    from torchdoctor.pylock import Lock, LockedWheel
    from torchdoctor.sources.order import Sources

__all__ = ["FirstHashes"]

_PAGES = 8  # read at once
_WAIT = 10.0  # seconds for what is still on its way when everything else is done


class FirstHashes:
    """Looks while other work goes on; whoever asks waits for the rest.

    A file of which uv knows the size comes from an index in JSON (PEP 691) or is one of the plan's, which are known;
    only for the others is the page read again.
    """

    def __init__(self, locked: Lock, sources: Sources, *, known: Collection[str], offline: bool) -> None:
        indexes = [*sources.indexes, *([sources.default_index] if sources.default_index else [])]
        self._shelves = [SourceShelf(source=row) for row in indexes]
        doubted = [
            row
            for row in locked.wheels
            if not offline
            and row.size is None
            and row.filename not in known
            and not row.url.startswith("file:")
        ]
        self._pool = ThreadPoolExecutor(_PAGES, thread_name_prefix="first-hash") if doubted else None
        self._asked: list[tuple[LockedWheel, Future[bool]]] = [
            (row, self._pool.submit(self._without, row)) for row in doubted if self._pool is not None
        ]

    def found(self) -> tuple[LockedWheel, ...]:
        """The files for which the page that lists them gives no hash; a page that cannot be read says nothing."""
        if self._pool is None:
            return ()
        done, _ = wait([job for _, job in self._asked], timeout=_WAIT)
        self._pool.shutdown(wait=False, cancel_futures=True)
        return tuple(
            row for row, job in self._asked if job in done and job.exception() is None and job.result()
        )

    def _without(self, wheel: LockedWheel) -> bool:
        for shelf in self._shelves:
            for row in shelf.wheels(wheel.name, "cpu"):
                if row.filename == wheel.filename and row.url == wheel.url:
                    return row.sha256 is None
        return False
