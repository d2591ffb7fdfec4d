"""A file at an HTTP server that is read in pieces, by range requests."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.net.http import failure_reason, iter_body, open_stream, with_deadline
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

__all__ = ["RangeReader"]

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_ATTEMPTS = 2
_PIECE_SECONDS = 120.0
_PARTIAL = 206
_NOT_SATISFIABLE = 416


class RangeReader:
    """Reads pieces of the file at `url`, and counts the bytes and the requests.

    Raises `SourceFailed` where the server does not answer, or has no ranges (code `no-ranges`), or where the file
    changes while it is read, or after `seconds`.
    """

    def __init__(self, url: str, *, seconds: float | None = None) -> None:
        self.url = url
        self._ends = None if seconds is None else time.monotonic() + seconds
        self.bytes_read, self.requests = 0, 0
        self._etag: str | None = None
        self._size: int | None = None
        self._request(0, 1)  # not all servers know ranges that count from the end

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        assert self._size is not None  # noqa: S101  (the first request told it)
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise ValueError(f"bytes {offset} to {offset + length} lie outside of the file")
        return self._request(offset, length) if length else b""

    def _request(self, offset: int, length: int) -> bytes:
        import requests

        for attempt in range(1, _ATTEMPTS + 1):
            self.requests += 1
            limit = self._seconds_left()
            try:
                return with_deadline(limit, lambda: self._read(offset, length))
            except (requests.RequestException, OSError) as error:
                if attempt == _ATTEMPTS:
                    raise self._failed(failure_reason(error)) from error
        raise AssertionError("the last attempt returns or raises")

    def _seconds_left(self) -> float:
        if self._ends is None:
            return _PIECE_SECONDS
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self._failed(message("it does not answer in time"))
        return min(left, _PIECE_SECONDS)

    def _read(self, offset: int, length: int) -> bytes:
        with open_stream(self.url, {"Range": f"bytes={offset}-{offset + length - 1}"}) as answer:
            self._check(answer, offset, length)
            body = bytearray()
            for chunk in iter_body(answer):
                body += chunk
                if len(body) > length:
                    break
        if len(body) != length:
            raise OSError(message("{got} bytes came instead of {wanted}", got=len(body), wanted=length))
        self.bytes_read += length
        return bytes(body)

    def _check(self, answer: requests.Response, offset: int, length: int) -> None:
        """Raise `SourceFailed` unless the answer holds this piece of this file."""
        if answer.status_code in (200, _NOT_SATISFIABLE):
            raise self._failed(message("its server sends no parts of files"), code="no-ranges")
        if answer.status_code != _PARTIAL:
            raise self._failed(
                message("it answers {status}", status=f"{answer.status_code} {answer.reason or ''}".strip()),
                code="absent" if answer.status_code in (403, 404, 410) else None,
            )
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if match is None or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise self._failed(message("its server does not say which part it sends"), code="no-ranges")
        start, last, size = (int(text) for text in match.groups())
        if (start, last) != (offset, offset + length - 1):
            raise self._failed(message("its server sends another part than was asked for"), code="no-ranges")
        self._remember(answer.headers, size)

    def _remember(self, headers: Mapping[str, str], size: int) -> None:
        etag = headers.get("ETag")
        if self._size is not None and (size != self._size or (etag and self._etag and etag != self._etag)):
            raise self._failed(message("it was replaced while it was read"))
        self._etag, self._size = etag or self._etag, size

    def _failed(self, why: str, *, code: str | None = None) -> SourceFailed:
        return SourceFailed(
            message("{url} cannot be read: {why}", url=redact_url(self.url), why=why),
            fix=message("check the URL and the network, or download the file and name it"),
            code=code or "unreachable",
        )
