"""Brings one file into the cache: resumed, checked, mended where it is damaged, and put in place in one step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n.messages import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed, TorchdoctorError
from torchdoctor.fetch.model import cached_path, check_checksums, compare, fetched
from torchdoctor.fetch.transfer.interfaces import Changed, Failed
from torchdoctor.fetch.transfer.origin import Origin
from torchdoctor.fetch.transfer.partial_file import Part
from torchdoctor.fetch.transfer.repair import repair
from torchdoctor.fetch.transfer.scheduler import Transfer
from torchdoctor.fetch.transfer.size import ask_size, write_out

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torchdoctor.core.progress import FetchProgress
    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.fetch.transfer.interfaces import ConnectionLimit
    from torchdoctor.fetch.transfer.response import Answer
    from torchdoctor.lock.model import LockedWheel

__all__ = ["DownloadSession", "download_wheel"]

_SLOW_AFTER, _SLOW_RATE = 15.0, 1_000_000  # seconds, bytes a second
_MIRRORED = (".pytorch.org", ".pythonhosted.org")  # hosts whose files the known mirrors have too
_REFUSALS = (401, 403, 407)
_RESTARTS = 3
_REPAIRS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadSession:
    """What the files of one fetch share: the cache, the connections, who is told, and the sign to stop."""

    cache: Path
    connections: ConnectionLimit
    progress: FetchProgress
    stopped: threading.Event


def download_wheel(wheel: LockedWheel, line: DownloadSession, urls: Sequence[str] = ()) -> FetchedWheel:
    """Bring the file into the cache from `urls`, the best first, and from its own URL, side by side.

    Raises `SourceFailed` when no place has the right bytes. What came of it so far is kept for the next run,
    but wrong bytes are not.
    """
    key = wheel.sha256 or hashlib.sha256(f"{wheel.url} {wheel.filename}".encode()).hexdigest()
    try:
        with _alone(line, key, wheel):
            if wheel.sha256 is not None:
                there = cached_path(line.cache, wheel.sha256, wheel.filename)
                if there.is_file() and sha256_of(there) == wheel.sha256:
                    return fetched(wheel, there, wheel.sha256, message("the cache"))
            return _OneFile(wheel, line, urls, key).bring()
    except OSError as error:
        raise SourceFailed(
            message(
                "writing {filename} to {cache} failed: {strerror}",
                filename=wheel.filename,
                cache=line.cache,
                strerror=error.strerror or error,
            ),
            fix=message("free space there, or set TORCHDOCTOR_CACHE_DIR to a folder on another disk"),
            code="no-space" if error.errno == _DISK_FULL else "cache",
        ) from error


@contextlib.contextmanager
def _alone(line: DownloadSession, key: str, wheel: LockedWheel) -> Iterator[None]:
    """Hold the file's lock across processes; who waits for another one's fetch takes its result."""
    from filelock import FileLock, Timeout

    folder = line.cache / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{key}.lock")
    told = False
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            if line.stopped.is_set():
                raise SourceFailed(
                    message("it was stopped"), fix=message("run the command again"), code="stopped"
                ) from None
            if not told:
                line.progress.note(
                    message(
                        "{filename}: another torchdoctor is fetching it; waiting for that",
                        filename=wheel.filename,
                    )
                )
                told = True
    try:
        yield
    finally:
        lock.release()


class _OneFile:
    """One file on its way into the cache."""

    def __init__(self, wheel: LockedWheel, line: DownloadSession, urls: Sequence[str], key: str) -> None:
        self._wheel, self._line = wheel, line
        self._origins = [Origin(url) for url in dict.fromkeys([*urls, wheel.url])]
        folder = line.cache / "partial"
        self._path, self._journal = folder / f"{key}.part", folder / f"{key}.journal"
        self._size = wheel.size
        self._told = 0
        self._plainly = False
        self._since, self._fresh, self._hinted = time.monotonic(), 0, False

    # What a transfer tells.

    def arrived(self, count: int) -> None:
        """Bytes came."""
        self._told += count
        self._line.progress.advance(count)
        self._line.progress.file(self._wheel.filename, self._told, self._size)
        self._hint(count)

    def _hint(self, count: int) -> None:
        """Say once what would help where the official index is slow."""
        self._fresh += count
        passed = time.monotonic() - self._since
        if self._hinted or passed < _SLOW_AFTER or len(self._origins) > 1:
            return
        self._hinted = True
        host = self._origins[0].host
        if host.endswith(_MIRRORED) and self._fresh / passed < _SLOW_RATE:
            self._line.progress.note(
                message(
                    "{host} gives {fresh:.2f} MB/s from here; `--mirror auto` takes the fastest of the "
                    "mirrors, and keeps what has come",
                    host=host,
                    fresh=self._fresh / passed / 1e6,
                )
            )

    def retry(self, why: str) -> None:
        """A connection failed."""
        self._line.progress.retry(self._wheel.filename, why)

    def bring(self) -> FetchedWheel:
        """Fetch, check and put in place; raises `SourceFailed`."""
        self._line.connections.one(self._line.stopped)
        try:
            for attempt in range(_RESTARTS + 1):
                try:
                    return self._once()
                except Changed as error:
                    self._drop()
                    if attempt == _RESTARTS:
                        raise self._failure(message("it changes while it is fetched")) from error
                    self.retry(message("{error}; beginning anew", error=error))
        except Failed as error:
            raise self._failure(str(error)) from error
        finally:
            self._line.connections.back()
        raise AssertionError("unreachable")

    def _once(self) -> FetchedWheel:
        part, answer = self._begin()
        try:
            transfer = Transfer(
                part, self._origins, connections=self._line.connections, stopped=self._line.stopped,
                watcher=self, exact=self._wheel.size is not None,
            )  # fmt: skip
            self._told_again(transfer.map.done_bytes)
            transfer.run(answer)
            found = self._right(transfer, part)
            part.sync()
        finally:
            part.close()
            if not part.checks:
                self._drop()
        return self._put(found)

    def _right(self, transfer: Transfer, part: Part) -> str:
        """The digest, after mending what can be mended; raises `SourceFailed` when it stays wrong."""
        wanted = self._wheel.sha256
        found = transfer.digest()
        for _ in range(_REPAIRS):
            if wanted is None or found == wanted or self._plainly:
                break
            self.retry(message("some of its bytes are wrong; fetching those again"))
            outcome = repair(part, transfer.again)
            if outcome == "stays-wrong" and any(row.ranges for row in self._origins):
                # Ranges that lie are right in their headers and wrong in their bytes: do without them, once.
                self._plainly = True
                for row in self._origins:
                    row.ranges = False
                raise Changed(message("its parts do not fit together"))
            if outcome != "mended":
                break
            found = transfer.digest()
        if wanted is not None and found != wanted:
            self._drop()
            compare(self._wheel, found, self._origins[0].place)
        return found

    def _put(self, found: str) -> FetchedWheel:
        """Rename the file into its place; whatever reads the cache sees all of it or nothing."""
        if self._wheel.sha256 is None:
            try:
                check_checksums(self._wheel, self._path)
            except TorchdoctorError:
                self._drop()
                raise
        place = cached_path(self._line.cache, found, self._wheel.filename)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(place)
        _sync_folder(place.parent)
        Part.remove(self._journal)
        used = [row.place for row in self._origins if row.arrived] or [self._origins[0].place]
        self._told_again(place.stat().st_size)
        return fetched(self._wheel, place, found, " and ".join(used))

    def _begin(self) -> tuple[Part, Answer | None]:
        """The part of an earlier run, or a new one, for which the size may have to be asked."""
        resumed = Part.resume(self._path, self._journal, self._size)
        if resumed is not None:
            part, journal = resumed
            self._size = part.size
            for origin in self._origins:
                origin.validator = journal.validators.get(origin.key)
            return part, None
        if self._size is not None:
            return Part.create(self._path, self._journal, self._size), None
        origin, answer = ask_size(self._origins, self._line.stopped, self.retry)
        if answer.total is None:
            part = write_out(answer, origin.host, self._path, self._journal, self._line.stopped, self.arrived)
            return part, None
        self._size = answer.total
        if not answer.total:
            answer.close()
            raise Failed(message("{host}: the file there is empty", host=origin.host))
        part = Part.create(self._path, self._journal, answer.total)
        origin.validator = answer.validator
        part.note_validator(origin.key, answer.validator)
        origin.ranges = answer.ranged
        return part, answer

    def _told_again(self, done: int) -> None:
        """Have the progress say what is really there."""
        self._line.progress.advance(done - self._told)
        self._told = done
        self._line.progress.file(self._wheel.filename, done, self._size)

    def _drop(self) -> None:
        Part.remove(self._path, self._journal)
        self._size = self._wheel.size
        self._told_again(0)
        for origin in self._origins:
            origin.validator = None

    def _failure(self, why: str) -> SourceFailed:
        return SourceFailed(
            message(
                "{filename} could not be fetched from {url}: {why}",
                filename=self._wheel.filename,
                url=redact_url(self._wheel.url),
                why=why,
            ),
            fix=self._fix(),
            code="download",
        )

    def _fix(self) -> str:
        if all(row.status in _REFUSALS for row in self._origins):
            return message(
                "check the credentials for that address, or name another source with --index-url, --mirror or "
                "--find-links"
            )
        alone = len(self._origins) == 1 and self._origins[0].host.endswith(_MIRRORED)
        hint = message("; a mirror may be nearer: `--mirror auto`") if alone else ""
        return message("check the network and run the command again; what has come is kept{hint}", hint=hint)


def _sync_folder(folder: Path) -> None:
    """Have the rename on disk; Windows has no way to."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _disk_full() -> int:
    import errno

    return errno.ENOSPC


_DISK_FULL = _disk_full()
