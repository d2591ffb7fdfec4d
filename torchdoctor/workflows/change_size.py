"""How much a change fetches and takes on the disk, before anything of it is fetched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plurals
from torchdoctor.core.threads import thread_pool
from torchdoctor.fetch.cache import cached_path
from torchdoctor.workflows.wheel_reading import opened_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torchdoctor.lock import LockedWheel

__all__ = ["ChangeSize", "size_of_change"]

# The list of files in a larger wheel is read, at its server too; the others together are a small part of the whole.
_READ_BYTES = 16 << 20
# What a wheel unpacks to: the median of torch 2.13.0 and the ten wheels that it needs, which are between 2.9 and 4.6.
_USUAL_GROWTH = 3.65
_SECONDS = 5.0
_THREADS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeSize:
    """Bytes of the wheels of a change; what a server does not tell is left out, and counted."""

    fetched: int = 0  # of the files that the cache does not have
    unpacked: int = 0  # about what they all become on the disk
    unknown: int = 0  # files of which no size is known

    @property
    def text(self) -> str:
        """The two sizes in words; empty where nothing is installed."""
        if not (self.fetched or self.unpacked or self.unknown):
            return ""
        to_fetch = message("{size} to fetch", size=_in_words(self.fetched))
        parts = [to_fetch if self.fetched or self.unknown else message("nothing to fetch")]
        if self.unpacked:
            parts.append(message("about {size} on the disk", size=_in_words(self.unpacked)))
        if self.unknown:
            parts.append(message("the size of {files} is not known", files=plurals.files(self.unknown)))
        return joined(parts)

    def to_json(self) -> dict[str, int]:
        """Return the bytes and the count."""
        return {"fetched": self.fetched, "unpacked": self.unpacked, "unknown": self.unknown}


def size_of_change(wheels: Sequence[LockedWheel], cache: Path, *, offline: bool) -> ChangeSize:
    """Return what these files take; `cache` is torchdoctor's cache folder.

    A server is asked for the list of files in a large wheel, all of them together for a few seconds at most.
    """
    ends = time.monotonic() + _SECONDS
    with thread_pool(_THREADS) as pool:
        sizes = [*pool.map(partial(_sizes, cache=cache, offline=offline, ends=ends), wheels)]
    return ChangeSize(
        fetched=sum(fetched or 0 for fetched, _ in sizes),
        unpacked=sum(unpacked or 0 for _, unpacked in sizes),
        unknown=sum(fetched is None for fetched, _ in sizes),
    )


def _sizes(wheel: LockedWheel, *, cache: Path, offline: bool, ends: float) -> tuple[int | None, int | None]:
    """The bytes to fetch and those on the disk; None where they are not known."""
    size = wheel.size
    unpacked = None
    if size is None or size >= _READ_BYTES:
        seconds = max(ends - time.monotonic(), 0.1)
        with opened_wheel(wheel, cache, offline=offline, seconds=seconds) as found:
            if found is not None:
                contents, _ = found
                size, unpacked = contents.size, contents.unpacked_size
    if unpacked is None and size is not None:
        unpacked = int(size * _USUAL_GROWTH)
    return (0 if _is_here(wheel, cache) else size), unpacked


def _is_here(wheel: LockedWheel, cache: Path) -> bool:
    if wheel.url.startswith("file:"):
        return True
    return wheel.sha256 is not None and cached_path(cache / "wheels", wheel.sha256, wheel.filename).is_file()


def _in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"
