"""Files without a hash in any index: uv would read and unpack them to make a lock, so they are fetched here first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from torchdoctor.core.fs import mark_cached_files_in_use
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.system.uv import WholeFilesAsked
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch import fetch
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.lock.credentials import with_credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock.model import LockRequest

__all__ = ["lock_with_whole_files"]


def lock_with_whole_files(
    request: LockRequest, cache: Path, run_dir: Path, report: Reporter, lock: Callable[[LockRequest], Lock]
) -> tuple[LockRequest, Lock]:
    """Call `lock` until uv has every file that it needs as a whole; return the request that has them, and the lock.

    Each comes through our own fetch, which bounds its size and looks into it before anything unpacks it. Raises what
    that and `lock` raise.
    """
    while True:
        try:
            return request, lock(request)
        except WholeFilesAsked as asked:
            wheels = [_wheel(url) for url in asked.urls]
            again = [wheel.filename for wheel in wheels if wheel.url in request.whole_files]
            if again:
                raise _cannot_be_locked(joined(again)) from asked
            mark_cached_files_in_use(run_dir, (wheel.filename for wheel in wheels))
            reachable = with_credentials(Lock(wheels=tuple(wheels)), request.sources).wheels
            house = fetch(reachable, cache=cache / "wheels", progress=report, offline=request.offline)
            files = {wheel.url: each.path for wheel, each in zip(wheels, house.wheels, strict=True)}
            request = replace(request, whole_files={**request.whole_files, **files})


def _wheel(shown: str) -> LockedWheel:
    """Return the file at an address that uv shows, of which it masks the password."""
    parts = urlsplit(shown)
    filename = unquote(parts.path.rpartition("/")[2])
    try:
        project, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise _cannot_be_locked(filename[:200]) from error
    return LockedWheel(
        name=str(project),
        version=str(version),
        filename=filename,
        url=urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])),
        sha256=None,
        size=None,
    )


def _cannot_be_locked(filename: str) -> SourceFailed:
    return SourceFailed(
        message(
            "no index gives a hash for {filename}, and it cannot be looked into first", filename=filename
        ),
        fix=message("name another source that has it with --index-url or --find-links"),
        code="no-hash",
    )
