"""Wheels that were fetched and verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.lock import LockedWheel

__all__ = ["FetchedWheel", "Wheelhouse", "fetched_wheel"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedWheel:
    """A verified wheel on this machine's disk."""

    wheel: LockedWheel
    path: Path
    sha256: str  # 64 lower-case hex digits
    size: int  # bytes
    source: str  # where it came from, as it may be shown
    first_seen: bool  # no index or snapshot gave a hash to verify it with


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheelhouse:
    """All wheels of a lock, verified, in the order of the lock."""

    wheels: tuple[FetchedWheel, ...]


def fetched_wheel(wheel: LockedWheel, path: Path, sha256: str, source: str) -> FetchedWheel:
    """Return the wheel at `path` with its size; raises `OSError` when it is not there."""
    return FetchedWheel(
        wheel=wheel,
        path=path,
        sha256=sha256,
        size=path.stat().st_size,
        source=source,
        first_seen=wheel.sha256 is None,
    )
