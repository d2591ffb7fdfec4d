"""Brings one file over the network: checked as it arrives, tried again, given up when it only drips."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from torchdoctor.errors import SourceFailed
from torchdoctor.net import open_file, pieces, reason
from torchdoctor.urls import redacted

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from torchdoctor.lock import LockedWheel

__all__ = ["FetchProgress", "FetchedWheel", "compare", "digest_of", "download", "fetched"]

_CHUNK = 1 << 20
_TRIES = 5
_SLOW_SECONDS = 30.0
_SLOW_BYTES = 30_000


class FetchProgress(Protocol):
    """What a fetch tells while it works; a terminal's bars are one, silence another."""

    def start(self, total: int | None, files: int) -> None:
        """`total` bytes (None: not all sizes are known) in `files` files are about to come."""

    def advance(self, count: int) -> None:
        """`count` more bytes arrived, or fewer are there when a try is thrown away."""

    def retry(self, filename: str, why: str) -> None:
        """A try failed and another follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedWheel:
    """A file that is there and right. `first_seen` when no index or snapshot gave a hash to check it by."""

    wheel: LockedWheel
    path: Path
    sha256: str
    size: int
    source: str
    first_seen: bool


def fetched(wheel: LockedWheel, path: Path, sha256: str, source: str) -> FetchedWheel:
    """The file with its hash and size, and where it came from."""
    return FetchedWheel(
        wheel=wheel, path=path, sha256=sha256, size=path.stat().st_size, source=source,
        first_seen=wheel.sha256 is None,
    )  # fmt: skip


def compare(wheel: LockedWheel, found: str, place: str) -> None:
    """Raise `SourceFailed` when a hash is known and is not the one found."""
    if wheel.sha256 is not None and found != wheel.sha256:
        raise SourceFailed(
            f"{wheel.filename} from {place} has SHA-256 {found[:16]}…, and {wheel.sha256[:16]}… is right: "
            "the file is damaged or is not the one it is named after",
            fix="nothing was installed; try again, or name another source with --index-url, --mirror or --find-links",
            kind="hash-mismatch",
        )


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def download(
    wheel: LockedWheel, cache: Path, progress: FetchProgress, stopped: threading.Event
) -> FetchedWheel:
    """Bring the file into the cache; raises `SourceFailed` when no try succeeds."""
    place = redacted(wheel.url)
    for attempt in range(1, _TRIES + 1):
        try:
            return _try(wheel, cache, progress, stopped)
        except _TryFailed as error:
            if error.final or attempt == _TRIES:
                raise SourceFailed(
                    f"{wheel.filename} could not be fetched from {place}: {error}",
                    fix="check the network and run the command again; finished files are kept",
                    kind="download",
                ) from error
            progress.retry(wheel.filename, str(error))
            stopped.wait(0.5 * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


class _TryFailed(Exception):
    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


def _try(wheel: LockedWheel, cache: Path, progress: FetchProgress, stopped: threading.Event) -> FetchedWheel:
    try:
        (cache / "partial").mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="torchdoctor-", suffix=".part", dir=cache / "partial")
    except OSError as error:
        raise _TryFailed(f"the cache {cache} cannot be written to: {error.strerror}", final=True) from error
    part = Path(name)
    tally = _Tally(progress)
    try:
        with os.fdopen(handle, "wb") as file:
            found = _write(wheel, file, tally, stopped)
        compare(wheel, found, redacted(wheel.url))
        path = cache / found[:2] / found / wheel.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
    except OSError as error:
        tally.take_back()
        raise _TryFailed(f"writing to {cache} failed: {error.strerror}", final=True) from error
    except BaseException:
        tally.take_back()
        raise
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return fetched(wheel, path, found, redacted(wheel.url))


class _Tally:
    """Bytes of one try, told to the progress as they come and taken back when the try is thrown away."""

    def __init__(self, progress: FetchProgress) -> None:
        self.progress, self.count = progress, 0

    def add(self, count: int) -> None:
        self.count += count
        self.progress.advance(count)

    def take_back(self) -> None:
        self.progress.advance(-self.count)


def _write(wheel: LockedWheel, file: IO[bytes], tally: _Tally, stopped: threading.Event) -> str:
    """Write the file as it arrives; its SHA-256."""
    digest = hashlib.sha256()
    for chunk in _chunks(wheel):
        if stopped.is_set():
            raise _TryFailed("it was stopped", final=True)
        file.write(chunk)
        digest.update(chunk)
        tally.add(len(chunk))
        if wheel.size is not None and tally.count > wheel.size:
            raise _TryFailed(f"it is longer than the {wheel.size} bytes it should have", final=True)
    return digest.hexdigest()


def _chunks(wheel: LockedWheel) -> Iterator[bytes]:
    """The bytes of one answer; every way in which the network fails becomes a `_TryFailed`."""
    import requests

    try:
        with open_file(wheel.url) as answer:
            _expect_a_file(answer.status_code)
            yield from _fast_enough(pieces(answer, _CHUNK))
    except (requests.RequestException, TimeoutError, ValueError) as error:
        raise _TryFailed(reason(error)) from error


def _fast_enough(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, until so little comes in a minute that waiting for the rest is no use."""
    since, count = time.monotonic(), 0
    for chunk in chunks:
        yield chunk
        count += len(chunk)
        passed = time.monotonic() - since
        if passed >= _SLOW_SECONDS:
            if count < _SLOW_BYTES:
                raise _TryFailed(f"only {count} bytes came in {passed:.0f} s")
            since, count = time.monotonic(), 0


def _expect_a_file(status: int) -> None:
    if status != HTTPStatus.OK:
        refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        raise _TryFailed(
            f"the server answers {status}", final=refused and status != HTTPStatus.TOO_MANY_REQUESTS
        )
