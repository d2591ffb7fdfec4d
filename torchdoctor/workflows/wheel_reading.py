"""A wheel of a lock, read where it is: in the cache, on this disk, or by ranges at its server."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from torchdoctor.core.fs.regular_files import regular_descriptor
from torchdoctor.core.net.ranges import RangeReader
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from wheels_index.binary import BinaryError, FileReader, WheelFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.lock import LockedWheel

__all__ = ["opened_wheel"]


@contextlib.contextmanager
def opened_wheel(
    wheel: LockedWheel, cache: Path, *, offline: bool, seconds: float | None = None
) -> Iterator[tuple[WheelFile, bool] | None]:
    """Give the wheel's files, and whether they are on this disk; None where it cannot be read in pieces.

    `cache` is torchdoctor's cache folder; `seconds` limits what a server may take.
    """
    path = _local_path(wheel, cache)
    if path is None and offline:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            if path is not None:
                reader = stack.enter_context(FileReader(regular_descriptor(path)))
                found = WheelFile(reader), True
            else:
                found = WheelFile(RangeReader(wheel.url, seconds=seconds)), False
        except (OSError, SourceFailed, BinaryError):
            found = None
        yield found


def _local_path(wheel: LockedWheel, cache: Path) -> Path | None:
    if wheel.sha256 is not None:
        path = cached_path(cache / "wheels", wheel.sha256, wheel.filename)
        if path.is_file():
            return path
    parts = urlsplit(wheel.url)
    if parts.scheme == "file":
        path = Path(url2pathname(parts.path))
        return path if path.is_file() else None
    return None
