"""Hashes that a file of requirements gives: a lock may hold no other file of these packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchdoctor.lock.model import Lock
    from torchdoctor.requirements import AskedRequirement

__all__ = ["asked_hashes", "check_asked_hashes"]

_SHA256 = "sha256:"


def asked_hashes(requirements: Iterable[AskedRequirement]) -> dict[str, frozenset[str]]:
    """Return the SHA-256 sums that files give, by project; raises `UsageError` for one with other sums alone."""
    found: dict[str, frozenset[str]] = {}
    for asked in requirements:
        if not asked.hashes:
            continue
        sums = frozenset(
            text.removeprefix(_SHA256).lower() for text in asked.hashes if text.startswith(_SHA256)
        )
        if not sums:
            raise UsageError(
                message(
                    "{origin}: {name} has hashes, and no sha256 among them",
                    origin=asked.origin,
                    name=asked.name,
                ),
                fix=message("write the hash as `pip hash` and `uv pip compile` do"),
                code="hash-unknown",
            )
        found[asked.name] = found[asked.name] & sums if asked.name in found else sums
    return found


def check_asked_hashes(lock: Lock, hashes: Mapping[str, frozenset[str]]) -> None:
    """Raise `SourceFailed` where the lock holds a file of a project whose hash is known and not among these."""
    for wheel in lock.wheels:
        allowed = hashes.get(wheel.name)
        if allowed is not None and wheel.sha256 is not None and wheel.sha256.lower() not in allowed:
            raise SourceFailed(
                message(
                    "the SHA-256 of {filename} is {hash}, which is none of those that are asked for",
                    filename=wheel.filename,
                    hash=wheel.sha256,
                ),
                fix=message(
                    "check where the file comes from; if it is right, make the file of requirements again for this "
                    "machine and Python"
                ),
                code="hash-mismatch",
            )
