"""The names that a torch has which is not fetched: read from its wheel by parts, at its server or on this disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from torchdoctor.core.fs.regular_files import regular_descriptor
from torchdoctor.core.i18n import message
from torchdoctor.core.net import RangeReader
from torchdoctor.errors import SourceFailed
from torchdoctor.fetch.cache import cached_path
from torchdoctor.sources.listing import local_path
from wheels_index.binary import BinaryError, FileReader, LimitedReader, NotRead, WheelFile, exported_symbols

if TYPE_CHECKING:
    import contextlib

    from torchdoctor.core.progress import Reporter
    from torchdoctor.lock import Lock, LockedWheel
    from torchdoctor.workflows.acquire_model import AcquireContext
    from wheels_index.binary import ExportedSymbols, Reader

__all__ = ["remote_torch_symbols"]

# Each library has its names at its beginning, or at its end where a tool wrote them anew: 75 MB are read of the 550 MB
# of torch 2.14.1+cu130, and 15 MB of 2.13.0+cpu.
_MAX_LIBRARY_BYTES = 32 << 20  # compressed
_MAX_BYTES = 96 << 20
_SECONDS = 90.0


def remote_torch_symbols(
    lock: Lock, context: AcquireContext, files: contextlib.ExitStack, report: Reporter
) -> ExportedSymbols | None:
    """Return the names that the torch of a lock has; None where they cannot be read, or it has no ELF libraries.

    They are read while they are asked for, from a file that `files` closes.
    """
    wheel = next((wheel for wheel in lock.wheels if wheel.name == "torch"), None)
    if wheel is None:
        return None
    try:
        reader = _reader_of(wheel, context, files, report)
        if reader is None:
            return None
        contents = WheelFile(LimitedReader(reader, _MAX_BYTES), max_bytes=_MAX_LIBRARY_BYTES)
        names = [name for name in contents.library_names if name.startswith("torch/lib/")]
        return exported_symbols(contents.member(name) for name in names)
    except (OSError, BinaryError, SourceFailed):
        return None


def _reader_of(
    wheel: LockedWheel, context: AcquireContext, files: contextlib.ExitStack, report: Reporter
) -> Reader | None:
    paths = [cached_path(context.cache / "wheels", wheel.sha256, wheel.filename)] if wheel.sha256 else []
    if wheel.url.startswith("file:"):
        paths.append(local_path(wheel.url))
    for path in paths:
        if path.is_file():
            return files.enter_context(FileReader(regular_descriptor(path)))
    if context.lock_request.offline or not wheel.url.startswith(("http://", "https://")):
        return None
    report.note(
        message("reading the names that torch {version} has, a part of its file", version=wheel.version)
    )
    return _AtServer(wheel.url, ends=time.monotonic() + _SECONDS)


class _AtServer:
    """A file at a server. What cannot be read there counts as not read, whenever it is asked for."""

    def __init__(self, url: str, *, ends: float) -> None:
        self._reader = RangeReader(url, seconds=ends - time.monotonic())

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        try:
            return self._reader.read_at(offset, length)
        except SourceFailed as error:
            raise NotRead(str(error)) from error
