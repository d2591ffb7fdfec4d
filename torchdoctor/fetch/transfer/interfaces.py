"""What a transfer shares with whoever runs it: connections, news, and how it can end."""

from __future__ import annotations

import threading
from typing import Protocol

__all__ = ["Changed", "ConnectionLimit", "Failed", "TransferStopped", "Watcher"]


class Watcher(Protocol):
    """Who is told what happens."""

    def arrived(self, count: int) -> None:
        """So many bytes came."""

    def retry(self, why: str) -> None:
        """A connection failed and another follows."""


class Failed(Exception):
    """The file cannot be had from any of its places."""


class Changed(Exception):
    """The file is another one than when it was begun."""


class TransferStopped(Exception):
    """Another file failed, or the user stopped it."""


class ConnectionLimit:
    """The connections of a whole fetch, shared by its files."""

    def __init__(self, most: int) -> None:
        self._left = threading.BoundedSemaphore(most)

    def one(self, stopped: threading.Event) -> None:
        """Wait for a connection; raises `TransferStopped`."""
        while not self._left.acquire(timeout=0.2):
            if stopped.is_set():
                raise TransferStopped

    def another(self) -> bool:
        """Take one more if one is free."""
        return self._left.acquire(blocking=False)

    def back(self) -> None:
        """Let another file have it."""
        self._left.release()
