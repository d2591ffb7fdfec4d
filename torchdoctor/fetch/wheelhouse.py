"""Lock -> Wheelhouse: every file of the lock, its hash checked, in the cache or where it lies."""

from __future__ import annotations

import re
import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.model import FetchedWheel, cached_path, compare, fetched
from torchdoctor.fetch.transfer.interfaces import ConnectionLimit, TransferStopped
from torchdoctor.fetch.wheel import DownloadSession, download_wheel
from torchdoctor.sources.listing import local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import FetchProgress
    from torchdoctor.lock.model import LockedWheel

__all__ = ["Wheelhouse", "fetch"]

_FILES, _CONNECTIONS = 6, 16
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]{0,250}\.whl")
_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    mirrors: Callable[[LockedWheel], Sequence[str]] | None = None,
    on_file: Callable[[FetchedWheel], None] | None = None,
) -> Wheelhouse:
    """Bring every file of the lock into `cache`, or use it where it lies when it is local.

    A file enters the cache only after its SHA-256 was checked, and is checked again each time it is taken
    from there; `held` are files of this run, which need neither. `mirrors` gives further URLs of a file, the
    best first, which serve it side by side with its own. `on_file` is called in several threads with each file that
    is there and right, while others still come; what it raises ends the fetch. Raises `SourceFailed` when a file
    cannot be had, is not what its hash says, or does not fit the disk.
    """
    for wheel in wheels:
        _check_names(wheel)
    ready = {row.wheel.filename: row for row in held}
    wanted = [wheel for wheel in wheels if wheel.filename not in ready]
    sizes = [wheel.size for wheel in wanted]
    progress.start(sum(size or 0 for size in sizes) if all(sizes) else None, len(wanted))
    _check_space(
        cache, [row for row in wanted if not _cached(cache, row) and not row.url.startswith("file:")]
    )
    for row in _all(wanted, cache, progress, offline, mirrors or _nowhere_else, on_file or _nothing):
        ready[row.wheel.filename] = row
    return Wheelhouse(wheels=tuple(ready[wheel.filename] for wheel in wheels))


def _nowhere_else(wheel: LockedWheel) -> tuple[str, ...]:  # noqa: ARG001
    return ()


def _nothing(row: FetchedWheel) -> None:
    pass


def _check_names(wheel: LockedWheel) -> None:
    if not _SAFE_NAME.fullmatch(wheel.filename):
        raise SourceFailed(
            message("{filename!r} is not the name of a wheel", filename=wheel.filename),
            fix=message("name another source"),
            code="bad-wheel",
        )
    if wheel.sha256 is not None and not _SHA256.fullmatch(wheel.sha256):
        raise SourceFailed(
            message(
                "the SHA-256 of {filename} is {sha256!r}, which is none",
                filename=wheel.filename,
                sha256=wheel.sha256[:80],
            ),
            fix=message("name another source, or lock again"),
            code="bad-wheel",
        )


def _all(
    wheels: Sequence[LockedWheel],
    cache: Path,
    progress: FetchProgress,
    offline: bool,
    mirrors: Callable[[LockedWheel], Sequence[str]],
    on_file: Callable[[FetchedWheel], None],
) -> list[FetchedWheel]:
    line = DownloadSession(
        cache=cache, connections=ConnectionLimit(_CONNECTIONS), progress=progress, stopped=threading.Event()
    )
    pool = ThreadPoolExecutor(_FILES)
    # The largest first: a large one at the end would keep the line waiting for it alone.
    order = sorted(wheels, key=lambda row: row.size or 0, reverse=True)
    jobs = {row.filename: pool.submit(_one_told, row, line, offline, mirrors, on_file) for row in order}
    try:
        done, _ = wait(jobs.values(), return_when=FIRST_EXCEPTION)
        for job in done:
            error = job.exception()
            if error is not None and not isinstance(error, TransferStopped):
                raise error
        return [jobs[wheel.filename].result() for wheel in wheels]
    finally:
        # Every connection is shut down, so no thread is left in a silent one.
        line.stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _check_space(cache: Path, missing: Sequence[LockedWheel]) -> None:
    needed = sum(wheel.size or 0 for wheel in missing)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free + sum(_begun(cache, wheel) for wheel in missing)
    except OSError as error:
        raise SourceFailed(
            message("the cache {cache} cannot be used: {strerror}", cache=cache, strerror=error.strerror),
            fix=message("set TORCHDOCTOR_CACHE_DIR to a folder that can be written to"),
            code="cache",
        ) from error
    if needed > free:
        raise SourceFailed(
            message(
                "the files need {needed:.1f} GB and {cache} has {free:.1f} GB free",
                needed=needed / 1e9,
                cache=cache,
                free=free / 1e9,
            ),
            fix=message("free space there, or set TORCHDOCTOR_CACHE_DIR to a folder on another disk"),
            code="no-space",
        )


def _begun(cache: Path, wheel: LockedWheel) -> int:
    """Bytes that a part of an earlier run holds on the disk already."""
    try:
        status = (cache / "partial" / f"{wheel.sha256}.part").stat()
    except OSError:
        return 0
    return min(status.st_size, getattr(status, "st_blocks", 0) * 512)


def _cached(cache: Path, wheel: LockedWheel) -> Path | None:
    if wheel.sha256 is None:
        return None
    path = cached_path(cache, wheel.sha256, wheel.filename)
    return path if path.is_file() else None


def _one_told(
    wheel: LockedWheel,
    line: DownloadSession,
    offline: bool,
    mirrors: Callable[[LockedWheel], Sequence[str]],
    on_file: Callable[[FetchedWheel], None],
) -> FetchedWheel:
    found = _one(wheel, line, offline, mirrors)
    on_file(found)
    return found


def _one(
    wheel: LockedWheel, line: DownloadSession, offline: bool, mirrors: Callable[[LockedWheel], Sequence[str]]
) -> FetchedWheel:
    if wheel.url.startswith("file:"):
        return _in_place(wheel, line.progress)
    held = _cached(line.cache, wheel)
    if held is not None and wheel.sha256 is not None:
        if sha256_of(held) == wheel.sha256:
            line.progress.advance(held.stat().st_size)
            return fetched(wheel, held, wheel.sha256, message("the cache"))
        held.unlink(missing_ok=True)
    if offline:
        raise SourceFailed(
            message(
                "{filename} is not in the cache, and --offline forbids fetching it", filename=wheel.filename
            ),
            fix=message("leave out --offline, or name a folder that has it with --find-links"),
            code="offline",
        )
    return download_wheel(wheel, line, mirrors(wheel) if wheel.sha256 is not None else ())


def _in_place(wheel: LockedWheel, progress: FetchProgress) -> FetchedWheel:
    path = local_path(wheel.url)
    try:
        found = sha256_of(path)
    except OSError as error:
        raise SourceFailed(
            message("{path} cannot be read: {strerror}", path=path, strerror=error.strerror),
            fix=message("check the folder"),
            code="unreachable",
        ) from error
    compare(wheel, found, str(path))
    progress.advance(path.stat().st_size)
    return fetched(wheel, path, found, str(path.parent))
