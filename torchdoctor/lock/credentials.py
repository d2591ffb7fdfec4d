"""Credentials for the files of a lock, which is written without any."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from torchdoctor.lock.model import Lock
    from torchdoctor.sources import Sources

__all__ = ["with_credentials"]


def with_credentials(lock: Lock, sources: Sources) -> Lock:
    """Return the lock with each file's URL completed by the credentials of the source on the same host."""
    default = (sources.default_index,) if sources.default_index else ()
    credentials: dict[tuple[str, str], str] = {}
    for source in (*sources.torch, *sources.indexes, *sources.find_links, *default):
        parts = urlsplit(source.url)
        user, at, host = parts.netloc.rpartition("@")
        if at:
            credentials.setdefault((parts.scheme, host), user)

    def completed(url: str) -> str:
        parts = urlsplit(url)
        user = credentials.get((parts.scheme, parts.netloc))
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}")) if user else url

    return replace(lock, wheels=tuple(replace(wheel, url=completed(wheel.url)) for wheel in lock.wheels))
