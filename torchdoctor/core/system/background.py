"""Runs one probe beside the others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from torchdoctor.core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BackgroundCall", "wait_for_calls"]

T = TypeVar("T")

# Not the threads: one whose `join` was interrupted counts as ended.
_running: set[threading.Event] = set()


class BackgroundCall(Generic[T]):
    """Starts `ask` in a thread at once; `result()` waits for it.

    concurrent.futures does the same and costs 17 ms to import.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._answers: list[T] = []
        self._errors: list[BaseException] = []
        self._ended = threading.Event()
        _running.add(self._ended)
        self._thread = start_thread(self._run)

    def result(self, seconds: float | None = None) -> T:
        """What `ask` returned; what it raised is raised here. `TimeoutError` when it has not ended by then."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError
        for error in self._errors:
            raise error
        return self._answers[0]

    def _run(self) -> None:
        try:
            self._answers.append(self._ask())
        except BaseException as error:  # noqa: BLE001  (raised again in result)
            self._errors.append(error)
        finally:
            _running.discard(self._ended)
            self._ended.set()


def wait_for_calls(seconds: float) -> None:
    """Wait until all calls have ended and cleaned up, but together no longer than `seconds`."""
    end = time.monotonic() + seconds
    for ended in tuple(_running):
        ended.wait(max(0.0, end - time.monotonic()))
