"""What a transfer shares with its caller: progress callbacks, the limit on connections, and how it can end."""

from __future__ import annotations

import threading
from typing import Protocol

__all__ = ["ConnectionLimit", "FileChanged", "TransferFailed", "TransferObserver", "TransferStopped"]

_POLL_SECONDS = 0.2


class TransferObserver(Protocol):
    """Progress callbacks of a transfer. Threads call them concurrently."""

    def arrived(self, count: int) -> None:
        """`count` more bytes of the file are there."""

    def retry(self, reason: str) -> None:
        """A connection failed, and another one follows."""


class TransferFailed(Exception):
    """The file cannot be had from any of its origins."""


class FileChanged(Exception):
    """The file on the server is another one than when the transfer began."""


class TransferStopped(Exception):
    """Another file failed, or the user stopped the fetch."""


class ConnectionLimit:
    """The number of connections that all files of a fetch may have together."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def acquire(self, stopped: threading.Event) -> None:
        """Wait for a free connection; raises `TransferStopped` soon after `stopped` is set."""
        while not self._free.acquire(timeout=_POLL_SECONDS):
            if stopped.is_set():
                raise TransferStopped

    def try_acquire(self) -> bool:
        """Take a connection if one is free; return whether that is so."""
        return self._free.acquire(blocking=False)

    def release(self) -> None:
        """Free a connection for another file."""
        self._free.release()
