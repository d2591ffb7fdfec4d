"""A wheel that was fetched and whose hash was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.wheelfile.checksums import first_damaged
from torchdoctor.core.wheelfile.validation import validate_wheel
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.lock.model import LockedWheel

__all__ = [
    "FetchedWheel",
    "cached_path",
    "check_checksums",
    "compare",
    "fetched",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedWheel:
    """A file that is there and right. `first_seen` when no index or snapshot gave a hash to check it by."""

    wheel: LockedWheel
    path: Path
    sha256: str
    size: int
    source: str
    first_seen: bool


def fetched(wheel: LockedWheel, path: Path, sha256: str, source: str) -> FetchedWheel:
    """The file with its hash and size, and where it came from."""
    return FetchedWheel(
        wheel=wheel, path=path, sha256=sha256, size=path.stat().st_size, source=source,
        first_seen=wheel.sha256 is None,
    )  # fmt: skip


def compare(wheel: LockedWheel, found: str, place: str) -> None:
    """Raise `SourceFailed` when a hash is known and is not the one found."""
    if wheel.sha256 is not None and found != wheel.sha256:
        raise SourceFailed(
            message(
                "{filename} from {place} has SHA-256 {found}…, and {sha256}… is right: the file is "
                "damaged or is not the one it is named after",
                filename=wheel.filename,
                place=place,
                found=found[:16],
                sha256=wheel.sha256[:16],
            ),
            fix=message(
                "nothing was installed; try again, or name another source with --index-url, --mirror or "
                "--find-links"
            ),
            code="hash-mismatch",
        )


def check_checksums(wheel: LockedWheel, path: Path) -> None:
    """Raise for a file that is no wheel, or whose members are not what their checksums say."""
    validate_wheel(path, wheel.filename)
    if (bad := first_damaged(path)) is not None:
        raise SourceFailed(
            message(
                "{filename} is damaged: its member {bad!r} is not what its checksum says",
                filename=wheel.filename,
                bad=bad,
            ),
            fix=message("try again, or name another source with --index-url, --mirror or --find-links"),
            code="bad-wheel",
        )


def cached_path(cache: Path, sha256: str, filename: str) -> Path:
    """Where the cache keeps a file."""
    return cache / sha256[:2] / sha256 / filename
