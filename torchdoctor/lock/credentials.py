"""Credentials for the files of a lock, which is written without any.

A lock or record holds a URL without user, password and query, and with `****` for each part of its path that may be a
secret (`core/url_paths.py`). Whoever has the index in the own settings or options gets all of that back from there: the
user and password of the source on the same host, and for `****` the part that stands at that place in the source's URL,
if the rest of the source's path is the file's as well. Nothing is ever sent to another host.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from torchdoctor.core.url_paths import HIDDEN_PART

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import SplitResult

    from torchdoctor.lock.model import Lock
    from torchdoctor.sources import Sources

__all__ = ["with_credentials"]

# What ends the path of an index and is none of the path of its files.
_OF_INDEX_ALONE = re.compile(r"|\+?simple|index|whl|cu\d{2,3}|rocm[\d.]+|cpu|xpu")


def with_credentials(lock: Lock, sources: Sources) -> Lock:
    """Return the lock with each file's URL completed by what the source on the same host has that no lock may hold."""
    default = (sources.default_index,) if sources.default_index else ()
    named = (*sources.torch, *sources.indexes, *sources.find_links, *default)
    places = [parts for source in named if (parts := urlsplit(source.url)).netloc]
    return replace(
        lock, wheels=tuple(replace(wheel, url=_completed(wheel.url, places)) for wheel in lock.wheels)
    )


def _completed(url: str, places: Sequence[SplitResult]) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    near = [
        place
        for place in places
        if (place.scheme, place.netloc.rpartition("@")[2]) == (parts.scheme, parts.netloc)
    ]
    paths = (_with_hidden_parts(parts.path, place.path) for place in near)
    parts = parts._replace(path=next((path for path in paths if path is not None), parts.path))
    user = next((place.netloc.rpartition("@")[0] for place in near if "@" in place.netloc), "")
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}") if user else parts)


def _with_hidden_parts(path: str, place: str) -> str | None:
    """The path with the parts of the source's for `****`; None where it has none, or is none of the source's files."""
    names, own = path.split("/"), place.rstrip("/").split("/")
    while own and _OF_INDEX_ALONE.fullmatch(own[-1]):
        own.pop()
    hidden = [number for number, name in enumerate(names) if name == HIDDEN_PART]
    if not hidden or hidden[-1] >= len(own):
        return None
    if any(name not in (HIDDEN_PART, part) for name, part in zip(names, own, strict=False)):
        return None
    return "/".join([*own, *names[len(own) :]])
