"""Downloads one wheel into the cache, unless another process is doing that."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from torchdoctor.fetch.model import fetched_wheel
from torchdoctor.fetch.wheel_download import WheelDownload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.fetch.session import DownloadSession
    from torchdoctor.lock import LockedWheel

__all__ = ["download_wheel"]

_LOCK_POLL_SECONDS = 0.5


def download_wheel(
    wheel: LockedWheel, session: DownloadSession, mirror_urls: Sequence[str] = ()
) -> FetchedWheel:
    """Download the wheel into the cache from `mirror_urls`, the best first, and from its own URL, at the same time.

    Raises `SourceFailed` when no URL gives the right bytes. What has arrived is kept for the next run, but wrong bytes
    are not.
    """
    key = wheel.sha256 or hashlib.sha256(f"{wheel.url} {wheel.filename}".encode()).hexdigest()
    try:
        with _exclusive(session, key, wheel):
            if wheel.sha256 is not None:
                # Another process may have downloaded it while this one waited.
                path = cached_path(session.cache, wheel.sha256, wheel.filename)
                if path.is_file() and sha256_of(path) == wheel.sha256:
                    return fetched_wheel(wheel, path, wheel.sha256, message("the cache"))
            return WheelDownload(wheel, session, mirror_urls, key).run()
    except OSError as error:
        raise SourceFailed(
            message(
                "writing {filename} to {cache} failed: {strerror}",
                filename=wheel.filename,
                cache=session.cache,
                strerror=error.strerror or error,
            ),
            fix=message("free space there, or set TORCHDOCTOR_CACHE_DIR to a folder on another disk"),
            code="no-space" if error.errno == errno.ENOSPC else "cache",
        ) from error


@contextlib.contextmanager
def _exclusive(session: DownloadSession, key: str, wheel: LockedWheel) -> Iterator[None]:
    """Hold the lock of the file among all processes; wait while another process downloads it."""
    folder = session.cache / "partial"
    make_own_folder(folder, below=session.cache)
    lock = FileLock(folder / f"{key}.lock")
    reported = False
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_SECONDS)
            break
        except Timeout:
            if session.stopped.is_set():
                raise SourceFailed(
                    message("it was stopped"), fix=message("run the command again"), code="stopped"
                ) from None
            if not reported:
                reported = True
                session.progress.note(
                    message(
                        "{filename}: another torchdoctor is fetching it; waiting for that",
                        filename=wheel.filename,
                    )
                )
    try:
        yield
    finally:
        lock.release()
