"""Lock -> Wheelhouse: every file of the lock, its hash checked, in the cache or where it lies."""

from __future__ import annotations

import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.download import FetchedWheel, FetchProgress, compare, digest_of, download, fetched
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.shelf import local_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torchdoctor.lock import LockedWheel

__all__ = ["FetchProgress", "FetchedWheel", "Wheelhouse", "digest_of", "fetch"]

_CONNECTIONS = 4
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,250}\.whl")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheelhouse:
    """All files of a lock, verified."""

    wheels: tuple[FetchedWheel, ...]


def fetch(
    wheels: Sequence[LockedWheel],
    *,
    cache: Path,
    progress: FetchProgress,
    offline: bool = False,
    held: Sequence[FetchedWheel] = (),
) -> Wheelhouse:
    """Bring every file of the lock into `cache`, or use it where it lies when it is local.

    A file enters the cache only after its SHA-256 was checked, and is checked again each time it is taken
    from there; `held` are files of this run, which need neither. Raises `SourceFailed` when a file cannot be
    had, is not what its hash says, or does not fit the disk.
    """
    for wheel in wheels:
        if not _SAFE_NAME.fullmatch(wheel.filename):
            raise SourceFailed(
                f"{wheel.filename!r} is not the name of a wheel", fix="name another source", kind="bad-wheel"
            )
    ready = {row.wheel.filename: row for row in held}
    wanted = [wheel for wheel in wheels if wheel.filename not in ready]
    sizes = [wheel.size for wheel in wanted]
    progress.start(sum(size or 0 for size in sizes) if all(sizes) else None, len(wanted))
    _check_space(
        cache, [row for row in wanted if not _cached(cache, row) and not row.url.startswith("file:")]
    )
    for row in _all(wanted, cache, progress, offline):
        ready[row.wheel.filename] = row
    return Wheelhouse(wheels=tuple(ready[wheel.filename] for wheel in wheels))


def _all(
    wheels: Sequence[LockedWheel], cache: Path, progress: FetchProgress, offline: bool
) -> list[FetchedWheel]:
    stopped = threading.Event()
    pool = ThreadPoolExecutor(_CONNECTIONS)
    jobs = [pool.submit(_one, wheel, cache, progress, stopped, offline) for wheel in wheels]
    try:
        return [job.result() for job in jobs]
    finally:
        # A connection that is silent may hold its thread for a while; nobody waits for it.
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _check_space(cache: Path, missing: Sequence[LockedWheel]) -> None:
    needed = sum(wheel.size or 0 for wheel in missing)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
    except OSError as error:
        raise SourceFailed(
            f"the cache {cache} cannot be used: {error.strerror}",
            fix="set TORCHDOCTOR_CACHE_DIR to a folder that can be written to",
            kind="cache",
        ) from error
    if needed > free:
        raise SourceFailed(
            f"the files need {needed / 1e9:.1f} GB and {cache} has {free / 1e9:.1f} GB free",
            fix="free space there, or set TORCHDOCTOR_CACHE_DIR to a folder on another disk",
            kind="no-space",
        )


def _cached(cache: Path, wheel: LockedWheel) -> Path | None:
    if wheel.sha256 is None:
        return None
    path = cache / wheel.sha256[:2] / wheel.sha256 / wheel.filename
    return path if path.is_file() else None


def _one(
    wheel: LockedWheel, cache: Path, progress: FetchProgress, stopped: threading.Event, offline: bool
) -> FetchedWheel:
    if wheel.url.startswith("file:"):
        return _in_place(wheel, progress)
    held = _cached(cache, wheel)
    if held is not None and wheel.sha256 is not None:
        if digest_of(held) == wheel.sha256:
            progress.advance(held.stat().st_size)
            return fetched(wheel, held, wheel.sha256, "the cache")
        held.unlink()
    if offline:
        raise SourceFailed(
            f"{wheel.filename} is not in the cache, and --offline forbids fetching it",
            fix="leave out --offline, or name a folder that has it with --find-links",
            kind="offline",
        )
    return download(wheel, cache, progress, stopped)


def _in_place(wheel: LockedWheel, progress: FetchProgress) -> FetchedWheel:
    path = local_path(wheel.url)
    try:
        found = digest_of(path)
    except OSError as error:
        raise SourceFailed(
            f"{path} cannot be read: {error.strerror}", fix="check the folder", kind="unreachable"
        ) from error
    compare(wheel, found, str(path))
    progress.advance(path.stat().st_size)
    return fetched(wheel, path, found, str(path.parent))
