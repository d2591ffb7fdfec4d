"""Asks for the size of files whose index gives none: the headers alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.net.http import open_stream
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from torchdoctor.lock.model import Lock, LockedWheel

__all__ = ["with_sizes"]

_CONNECTIONS = 8


def with_sizes(lock: Lock) -> Lock:
    """The lock with sizes in bytes where a server tells them, and what can be read of files that lie here."""
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        return replace(lock, wheels=tuple(pool.map(_measured, lock.wheels)))


def _measured(wheel: LockedWheel) -> LockedWheel:
    if wheel.url.startswith("file:"):
        path = local_path(wheel.url)
        return replace(wheel, size=path.stat().st_size, sha256=wheel.sha256 or sha256_of(path))
    return wheel if wheel.size is not None else replace(wheel, size=_told(wheel.url))


def _told(url: str) -> int | None:
    """The length that the server says, without reading the file; None where it does not."""
    import requests

    try:
        with open_stream(url) as answer:
            length = answer.headers.get("Content-Length", "")
            return int(length) if answer.status_code == HTTPStatus.OK and length.isdigit() else None
    except (requests.RequestException, TimeoutError, OSError, ValueError):
        return None
