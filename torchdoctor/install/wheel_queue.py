"""The wheels that wait to be unpacked: each once, however often and in whatever order they are told of."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchdoctor.fetch import FetchedWheel

__all__ = ["WheelQueue"]

# Larger wheels wait until the small ones are unpacked: those are done soon, and can be compiled meanwhile.
_LARGE_WHEEL_BYTES = 32 * 1024 * 1024
# Wheels that arrive this close to each other are unpacked by one run of uv.
_BATCH_WINDOW_SECONDS = 0.1


class WheelQueue:
    """Takes wheels from any thread and gives them in batches to one.

    A file is given once: one of the same name with other bytes is another file. No batch has two files of a project:
    of those that wait, the last one counts.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, FetchedWheel] = {}  # by project
        self._batch: Sequence[FetchedWheel] = ()
        self._added: set[tuple[str, str]] = set()
        self._all_added = False

    def add(self, wheels: Iterable[FetchedWheel]) -> None:
        """Add the wheels that were not added before."""
        with self._changed:
            for wheel in wheels:
                if _file(wheel) not in self._added:
                    self._added.add(_file(wheel))
                    self._waiting[wheel.wheel.name] = wheel
            self._changed.notify()

    def end(self, *, drop: bool = False) -> None:
        """Say that no more wheels come; `drop` forgets those that wait."""
        with self._changed:
            if drop:
                self._waiting.clear()
            self._all_added = True
            self._changed.notify()

    def pending(self, wheels: Iterable[FetchedWheel] = ()) -> tuple[FetchedWheel, ...]:
        """Return what waits or is in the last batch, and those of `wheels` that were not added."""
        with self._changed:
            others = (wheel for wheel in wheels if _file(wheel) not in self._added)
            return (*self._waiting.values(), *self._batch, *others)

    def has_others_than(self, wheels: Iterable[FetchedWheel]) -> bool:
        """Return whether a wheel was added that is not one of `wheels`."""
        return not self._added <= set(map(_file, wheels))

    def next_batch(self) -> Sequence[FetchedWheel]:
        """Wait for wheels and return the small ones, else the large ones; none when all were given."""
        with self._changed:
            self._batch = ()
            while not self._waiting and not self._all_added:
                self._changed.wait()
            # Each wheel that arrives wakes this thread: only the last one ends the pause.
            self._changed.wait_for(lambda: self._all_added, _BATCH_WINDOW_SECONDS)
            waiting = list(self._waiting.values())
            self._batch = [wheel for wheel in waiting if wheel.size < _LARGE_WHEEL_BYTES] or waiting
            for wheel in self._batch:
                del self._waiting[wheel.wheel.name]
            return self._batch


def _file(fetched: FetchedWheel) -> tuple[str, str]:
    return fetched.wheel.filename, fetched.sha256
