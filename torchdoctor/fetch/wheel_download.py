"""Download one wheel into the cache: resume, verify, repair damaged segments, rename atomically."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fs import sync_directory
from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.i18n import message
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed, TorchdoctorError
from torchdoctor.fetch.cache import cached_path
from torchdoctor.fetch.download_progress import DownloadProgress, is_mirrored
from torchdoctor.fetch.model import fetched_wheel
from torchdoctor.fetch.transfer.interfaces import FileChanged, TransferFailed
from torchdoctor.fetch.transfer.origin import Origin
from torchdoctor.fetch.transfer.partial_file import PartialFile
from torchdoctor.fetch.transfer.repair import repair_wheel
from torchdoctor.fetch.transfer.scheduler import Transfer
from torchdoctor.fetch.transfer.size import (
    request_size,
    room_for_unvouched,
    write_response_of_unknown_size,
)
from torchdoctor.fetch.verification import refuse_wrong_hash, validate_unhashed_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.fetch.model import FetchedWheel
    from torchdoctor.fetch.session import DownloadSession
    from torchdoctor.fetch.transfer.response import RangeResponse
    from torchdoctor.lock import LockedWheel

__all__ = ["WheelDownload"]

_CREDENTIAL_STATUSES = (401, 403, 407)
_MAX_RESTARTS = 3
_MAX_REPAIRS = 3


class WheelDownload:
    """The download of one wheel; its lock `key` is held by the caller."""

    def __init__(
        self, wheel: LockedWheel, session: DownloadSession, mirror_urls: Sequence[str], key: str
    ) -> None:
        self._wheel, self._session = wheel, session
        urls = dict.fromkeys([*mirror_urls, wheel.url])
        self._origins = [Origin(url, own=url == wheel.url) for url in urls]
        self._size_source: Origin | None = None
        folder = session.cache / "partial"
        self._path, self._journal = folder / f"{key}.part", folder / f"{key}.journal"
        self._progress = DownloadProgress(wheel.filename, wheel.size, self._origins, session.progress)
        self._without_ranges = False

    def run(self) -> FetchedWheel:
        """Download, verify and rename the wheel into the cache; raises `SourceFailed`, and `OSError` of the disk."""
        self._session.limit.acquire(self._session.stopped)
        try:
            for restarts in range(_MAX_RESTARTS + 1):
                try:
                    return self._run_once()
                except FileChanged as error:
                    self._discard()
                    if restarts == _MAX_RESTARTS:
                        raise self._failure(message("it changes while it is fetched")) from error
                    self._progress.retry(message("{error}; starting again", error=error))
        except TransferFailed as error:
            raise self._failure(str(error)) from error
        finally:
            self._session.limit.release()
        raise AssertionError("unreachable")

    def _run_once(self) -> FetchedWheel:
        part, response = self._open()
        try:
            transfer = Transfer(
                part,
                self._origins,
                limit=self._session.limit,
                stopped=self._session.stopped,
                observer=self._progress,
                exact=self._wheel.size is not None,
                size_source=self._size_source,
            )
            self._progress.correct(transfer.segments.done_bytes)
            transfer.run(response)
            sha256 = self._verified_digest(transfer, part)
            part.sync()
        except BaseException:
            part.give_back_space()
            raise
        finally:
            part.close()
            if not part.checks:
                self._discard()
        return self._put_into_cache(sha256)

    def _open(self) -> tuple[PartialFile, RangeResponse | None]:
        """Return the partial file of an earlier run or a new one, and a response if one is open already."""
        resumed = PartialFile.resume(self._path, self._journal, self._progress.size)
        if resumed is not None:
            part, journal = resumed
            self._progress.size = part.size
            for origin in self._origins:
                origin.validator = journal.validators.get(origin.key)
            return part, None
        if self._progress.size is not None:
            return PartialFile.create(self._path, self._journal, self._progress.size), None
        return self._open_with_unknown_size()

    def _open_with_unknown_size(self) -> tuple[PartialFile, RangeResponse | None]:
        stopped, most = self._session.stopped, room_for_unvouched(self._path.parent)
        origin, response = request_size(self._origins, most, stopped, self._progress.retry)
        if response.total is None:
            # It is copied once.
            part = write_response_of_unknown_size(
                response, origin.host, self._path, self._journal, most // 2, stopped, self._progress.arrived
            )
            return part, None
        self._progress.size = response.total
        if not response.total:
            response.close()
            raise TransferFailed(message("{host}: the file there is empty", host=origin.host))
        part = PartialFile.create(self._path, self._journal, response.total, reserve=False)
        self._size_source = origin
        origin.validator = response.validator
        part.note_validator(origin.key, response.validator)
        origin.ranges = response.ranged
        return part, response

    def _verified_digest(self, transfer: Transfer, part: PartialFile) -> str:
        """Return the digest, after repairing what can be repaired; raises `SourceFailed` when it stays wrong."""
        expected = self._wheel.sha256
        digest = transfer.digest()
        for _ in range(_MAX_REPAIRS):
            if expected is None or digest == expected or self._without_ranges:
                break
            self._progress.retry(message("some of its bytes are wrong; fetching those again"))
            outcome = repair_wheel(part, transfer.fetch_again)
            if outcome == "stays-wrong" and any(origin.ranges for origin in self._origins):
                # A server may send right headers and wrong bytes for ranges: try once without them.
                self._without_ranges = True
                for origin in self._origins:
                    origin.ranges = False
                raise FileChanged(message("its parts do not fit together"))
            if outcome != "changed":
                break
            digest = transfer.digest()
        if expected is not None and digest != expected:
            self._discard()
            refuse_wrong_hash(self._wheel, digest, self._origins[0].place)
        return digest

    def _put_into_cache(self, sha256: str) -> FetchedWheel:
        """Rename the file into the cache: readers see all of it or nothing."""
        if self._wheel.sha256 is None:
            try:
                validate_unhashed_wheel(self._wheel, self._path)
            except TorchdoctorError:
                self._discard()
                raise
        path = cached_path(self._session.cache, sha256, self._wheel.filename)
        make_own_folder(path.parent, below=self._session.cache)
        self._path.replace(path)
        sync_directory(path.parent)
        PartialFile.remove(self._journal)
        sources = [origin.place for origin in self._origins if origin.arrived] or [self._origins[0].place]
        self._progress.correct(path.stat().st_size)
        return fetched_wheel(self._wheel, path, sha256, " and ".join(sources))

    def _discard(self) -> None:
        """Remove what has arrived."""
        PartialFile.remove(self._path, self._journal)
        self._progress.size, self._size_source = self._wheel.size, None
        self._progress.correct(0)
        for origin in self._origins:
            origin.validator = None

    def _failure(self, reason: str) -> SourceFailed:
        return SourceFailed(
            message(
                "{filename} could not be fetched from {url}: {why}",
                filename=self._wheel.filename,
                url=redact_url(self._wheel.url),
                why=reason,
            ),
            fix=self._fix(),
            code="download",
        )

    def _fix(self) -> str:
        if all(origin.status in _CREDENTIAL_STATUSES for origin in self._origins):
            return message(
                "check the credentials for that address, or name another source with --index-url, --mirror or "
                "--find-links"
            )
        only = self._origins[0] if len(self._origins) == 1 else None
        hint = message("; a mirror may be nearer: `--mirror auto`") if only and is_mirrored(only.host) else ""
        return message(
            "check the network and run the command again; what has been downloaded is kept{hint}", hint=hint
        )
