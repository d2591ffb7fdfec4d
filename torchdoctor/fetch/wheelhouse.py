"""Lock -> Wheelhouse: every wheel of the lock, its hash verified, in the cache or where it is on a local disk."""

from __future__ import annotations

import re
import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.core.threads import thread_pool
from torchdoctor.core.wheelfile.member_names import is_safe_wheel_name
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from torchdoctor.fetch.local_wheel import verify_local_wheel
from torchdoctor.fetch.model import Wheelhouse, fetched_wheel
from torchdoctor.fetch.session import DownloadSession
from torchdoctor.fetch.transfer.interfaces import ConnectionLimit, TransferStopped
from torchdoctor.fetch.verification import refuse_unprotected
from torchdoctor.fetch.wheel import download_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import FetchProgress
    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.lock import LockedWheel

__all__ = ["fetch"]

_MAX_FILES_AT_ONCE = 6
_MAX_CONNECTIONS = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    """Download every wheel into `cache`, or use it where it is when it is local.

    A file enters the cache only after its SHA-256 was verified, and is verified again whenever it is taken from there;
    `held` are wheels that this run has verified already. `mirrors` returns further URLs of a wheel, the best first,
    which are used together with its own. `on_file` is called in several threads with each verified wheel while others
    still download; what it raises ends the fetch. Raises `SourceFailed` when a wheel cannot be had, is not what its
    hash says, or does not fit on the disk.
    """
    for wheel in wheels:
        _refuse_bad_names(wheel)
    ready = {fetched.wheel.filename: fetched for fetched in held}
    wanted = [wheel for wheel in wheels if wheel.filename not in ready]
    sizes = [wheel.size for wheel in wanted]
    progress.start(sum(size or 0 for size in sizes) if all(sizes) else None, len(wanted))
    _check_space(cache, [wheel for wheel in wanted if not _is_local(wheel) and not _in_cache(cache, wheel)])
    session = DownloadSession(
        cache=cache, limit=ConnectionLimit(_MAX_CONNECTIONS), progress=progress, stopped=threading.Event()
    )
    fetcher = _Fetcher(session=session, offline=offline, mirrors=mirrors, on_file=on_file)
    for fetched in fetcher.fetch_all(wanted):
        ready[fetched.wheel.filename] = fetched
    return Wheelhouse(wheels=tuple(ready[wheel.filename] for wheel in wheels))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetcher:
    """Fetches several wheels at once; the fields are arguments of `fetch`."""

    session: DownloadSession
    offline: bool
    mirrors: Callable[[LockedWheel], Sequence[str]] | None
    on_file: Callable[[FetchedWheel], None] | None

    def fetch_all(self, wheels: Sequence[LockedWheel]) -> list[FetchedWheel]:
        """Return the wheels in their order; raises the first error."""
        pool = thread_pool(_MAX_FILES_AT_ONCE)
        # The largest first: at the end it would keep everyone waiting.
        by_size = sorted(wheels, key=lambda wheel: wheel.size or 0, reverse=True)
        jobs = {wheel.filename: pool.submit(self._fetch_and_report, wheel) for wheel in by_size}
        try:
            done, _ = wait(jobs.values(), return_when=FIRST_EXCEPTION)
            for job in done:
                error = job.exception()
                if error is not None and not isinstance(error, TransferStopped):
                    raise error
            return [jobs[wheel.filename].result() for wheel in wheels]
        finally:
            # Every connection is shut down, so no thread stays in a silent one.
            self.session.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _fetch_and_report(self, wheel: LockedWheel) -> FetchedWheel:
        fetched = self._fetch_one(wheel)
        if self.on_file is not None:
            self.on_file(fetched)
        return fetched

    def _fetch_one(self, wheel: LockedWheel) -> FetchedWheel:
        if _is_local(wheel):
            fetched = verify_local_wheel(wheel, self.session.cache)
            self.session.progress.advance(fetched.size)
            return fetched
        cached = self._take_from_cache(wheel)
        if cached is not None:
            return cached
        if self.offline:
            raise SourceFailed(
                message(
                    "{filename} is not in the cache, and --offline forbids fetching it",
                    filename=wheel.filename,
                ),
                fix=message("leave out --offline, or name a folder that has it with --find-links"),
                code="offline",
            )
        refuse_unprotected(wheel)
        # A mirror can be trusted only where a hash says what is right.
        mirrors = self.mirrors if wheel.sha256 is not None else None
        return download_wheel(wheel, self.session, mirrors(wheel) if mirrors else ())

    def _take_from_cache(self, wheel: LockedWheel) -> FetchedWheel | None:
        """Return the wheel if it is in the cache; a damaged one is removed from there."""
        path = _in_cache(self.session.cache, wheel)
        if path is None or wheel.sha256 is None:
            return None
        try:
            if sha256_of(path) == wheel.sha256:
                self.session.progress.advance(path.stat().st_size)
                return fetched_wheel(wheel, path, wheel.sha256, message("the cache"))
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable_cache(self.session.cache, error) from error
        return None


def _is_local(wheel: LockedWheel) -> bool:
    return wheel.url.startswith("file:")


def _in_cache(cache: Path, wheel: LockedWheel) -> Path | None:
    """Return the path of the wheel if the cache has it."""
    if wheel.sha256 is None:
        return None
    path = cached_path(cache, wheel.sha256, wheel.filename)
    return path if path.is_file() else None


def _refuse_bad_names(wheel: LockedWheel) -> None:
    if not is_safe_wheel_name(wheel.filename):
        raise SourceFailed(
            message("{filename!r} is not the name of a wheel", filename=wheel.filename),
            fix=message("name another source"),
            code="bad-wheel",
        )
    if wheel.sha256 is not None and not _SHA256.fullmatch(wheel.sha256):
        raise SourceFailed(
            message(
                "the SHA-256 of {filename} is {sha256!r}, which is not a SHA-256",
                filename=wheel.filename,
                sha256=wheel.sha256[:80],
            ),
            fix=message("name another source, or lock again"),
            code="bad-wheel",
        )


def _check_space(cache: Path, missing: Sequence[LockedWheel]) -> None:
    """Raise `SourceFailed` when the missing wheels do not fit on the disk of the cache."""
    needed = sum(wheel.size or 0 for wheel in missing)
    try:
        make_own_folder(cache, below=cache)
        free = shutil.disk_usage(cache).free + sum(_partial_bytes(cache, wheel) for wheel in missing)
    except OSError as error:
        raise _unusable_cache(cache, error) from error
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


def _partial_bytes(cache: Path, wheel: LockedWheel) -> int:
    """Return how many bytes the partial file of an earlier run takes on the disk."""
    try:
        status = (cache / "partial" / f"{wheel.sha256}.part").lstat()
    except OSError:
        return 0
    return min(status.st_size, getattr(status, "st_blocks", 0) * 512)


def _unusable_cache(cache: Path, error: OSError) -> SourceFailed:
    return SourceFailed(
        message("the cache {cache} cannot be used: {strerror}", cache=cache, strerror=error.strerror),
        fix=message("set TORCHDOCTOR_CACHE_DIR to a folder that can be written to"),
        code="cache",
    )
