"""A lock that somebody else may have written, held against what is known of the files that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.vouched_files import known_hashes, pypi_hashes
from torchdoctor.sources.vouching import PYPI_FILES, is_of_torch, vouches
from wheels_index import InvalidWheel, Wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock import Lock, LockedWheel
    from wheels_index import Snapshot

__all__ = ["check_known_hashes"]

_MAX_TOLD_COUNT = 3


def check_known_hashes(lock: Lock, path: Path, facts: Snapshot, report: Reporter, *, trusted: bool) -> None:
    """Refuse a lock that gives a known file of torch another hash; with `trusted` the user takes it, with a warning.

    Raises `SourceFailed`. A lock may name files that no facts know.
    """
    wrong = [
        message(
            "{filename} has SHA-256 {found}… there, and {known}… is right",
            filename=wheel.filename,
            found=(wheel.sha256 or "")[:16],
            known=known[:16],
        )
        for wheel, known in _contradicted(lock, facts)
    ]
    if not wrong:
        return
    what = message(
        "{path} contradicts what is known of official files: {files}",
        path=path,
        files=joined(wrong[:_MAX_TOLD_COUNT], "; "),
    )
    if trusted:
        report.warn(what)
        return
    raise SourceFailed(
        what,
        fix=message(
            "look where the lock comes from, or make another one: torchdoctor resolve --format pylock; --trust-mirror "
            "takes it on your own word"
        ),
        code="hash-conflict",
    )


def _contradicted(lock: Lock, facts: Snapshot) -> Iterator[tuple[LockedWheel, str]]:
    for locked in lock.wheels:
        try:
            wheel = Wheel.from_filename(locked.filename, url=locked.url, sha256=locked.sha256)
        except InvalidWheel:
            continue
        if not is_of_torch(wheel.project):
            continue
        known = known_hashes(facts, wheel) if wheel.label is None else frozenset()
        if known and locked.sha256 not in known and not _may_be_another(wheel, locked, facts):
            yield locked, min(known)


def _may_be_another(wheel: Wheel, locked: LockedWheel, facts: Snapshot) -> bool:
    """Without a build tag PyPI and the official index have different bytes under one name, such as most of triton.

    Then the facts decide only where they know PyPI's, and not of what these two serve themselves.
    """
    if wheel.version.local is not None:
        return False
    return not pypi_hashes(facts, wheel) or vouches(locked.url) or locked.url.startswith(PYPI_FILES)
