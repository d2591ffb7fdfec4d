"""Verifies a wheel: by the hash of the lock, or by the checksums inside it where no hash is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.net.protection import is_protected
from torchdoctor.core.urls import redact_url
from torchdoctor.core.wheelfile import first_damaged, validate_wheel
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.lock import LockedWheel

__all__ = ["refuse_unprotected", "refuse_wrong_hash", "validate_unhashed_wheel"]


def refuse_unprotected(wheel: LockedWheel) -> None:
    """Raise `SourceFailed` for a file without a hash that comes over http: anybody on the way could exchange it."""
    if wheel.sha256 is None and not is_protected(wheel.url):
        raise SourceFailed(
            message(
                "no index gives a hash for {filename}, and {url} is not protected by https",
                filename=wheel.filename,
                url=redact_url(wheel.url),
            ),
            fix=message("name an index over https, or one that gives hashes: --index-url or --find-links"),
            code="unprotected",
        )


def refuse_wrong_hash(wheel: LockedWheel, sha256: str, place: str) -> None:
    """Raise `SourceFailed` when the lock has a hash and the file from `place` has another one."""
    if wheel.sha256 is not None and sha256 != wheel.sha256:
        raise SourceFailed(
            message(
                "{filename} from {place} has SHA-256 {found}…, and {sha256}… is right: the file is "
                "damaged or is not the one it is named after",
                filename=wheel.filename,
                place=place,
                found=sha256[:16],
                sha256=wheel.sha256[:16],
            ),
            fix=message(
                "nothing was installed; try again, or name another source with --index-url, --mirror or "
                "--find-links"
            ),
            code="hash-mismatch",
        )


def validate_unhashed_wheel(wheel: LockedWheel, path: Path) -> None:
    """Raise `SourceFailed` or `InstallFailed` for a file that is no wheel or does not match its own checksums."""
    validate_wheel(path, wheel.filename)
    if (damaged := first_damaged(path)) is not None:
        raise SourceFailed(
            message(
                "{filename} is damaged: its member {bad!r} is not what its checksum says",
                filename=wheel.filename,
                bad=damaged,
            ),
            fix=message("try again, or name another source with --index-url, --mirror or --find-links"),
            code="bad-wheel",
        )
