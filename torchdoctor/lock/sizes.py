"""The sizes of files whose index gives none: from the headers of a response, without reading it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.net import open_stream
from torchdoctor.core.threads import thread_pool
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from torchdoctor.lock.model import Lock, LockedWheel

__all__ = ["with_sizes"]

_CONNECTION_COUNT = 8


def with_sizes(lock: Lock) -> Lock:
    """Return the lock with sizes in bytes where a server gives them, and with size and hash of local files.

    Raises `OSError` for a local file that cannot be read.
    """
    with thread_pool(_CONNECTION_COUNT) as pool:
        return replace(lock, wheels=tuple(pool.map(_with_size, lock.wheels)))


def _with_size(wheel: LockedWheel) -> LockedWheel:
    if wheel.url.startswith("file:"):
        path = local_path(wheel.url)
        return replace(wheel, size=path.stat().st_size, sha256=wheel.sha256 or sha256_of(path))
    return wheel if wheel.size is not None else replace(wheel, size=_remote_size(wheel.url))


def _remote_size(url: str) -> int | None:
    """The length in bytes that the server gives; None where it gives none."""
    import requests

    try:
        with open_stream(url) as answer:
            length = answer.headers.get("Content-Length", "")
            return int(length) if answer.status_code == HTTPStatus.OK and length.isdigit() else None
    except (requests.RequestException, TimeoutError, OSError, ValueError):
        return None
