"""A wheel on a server, read in pieces by range requests: a few megabytes of a file of gigabytes."""

from __future__ import annotations

import re
import time
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from wheels_index.binary.reader import Damaged, NotRead

if TYPE_CHECKING:
    from http.client import HTTPMessage, HTTPResponse
    from typing import IO

__all__ = ["RemoteReader"]

_SECONDS = 30.0
_PIECE_SECONDS = 300.0
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _refuse_unsafe(url: str, *, came_from: str | None = None) -> None:
    """Only https is read, or http of this machine where this machine was asked: no server leads there."""
    parts = urlsplit(url)
    is_own = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if came_from is not None:
        is_own = is_own and urlsplit(came_from).hostname in _LOOPBACK
    if parts.scheme != "https" and not is_own:
        raise NotRead("only https is read")
    if parts.username is not None or parts.password is not None:
        raise NotRead("a URL with a password is not read")


class _SafeRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            _refuse_unsafe(newurl, came_from=req.full_url)
        except NotRead:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class RemoteReader:
    """A file at an https URL; opening and reading it raise `OSError`, and `NotRead` above `max_bytes` in all.

    Raises `Damaged` where the server has no ranges, or the file changes while it is read.
    """

    def __init__(self, url: str, *, max_bytes: int = 256 << 20) -> None:
        _refuse_unsafe(url)
        self._url, self._left = url, max_bytes
        self._open = build_opener(_SafeRedirects).open
        self._tag: str | None = None
        self._size = 0
        self._fetch(0, 1)

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes."""
        if offset < 0 or length < 0 or offset + length > self._size:
            raise Damaged(f"bytes {offset} to {offset + length} lie outside of a file of {self._size} bytes")
        return self._fetch(offset, length) if length else b""

    def _fetch(self, offset: int, length: int) -> bytes:
        if length > self._left:
            raise NotRead(f"{length} bytes are more than the {self._left} that may still be read")
        self._left -= length
        wanted = f"bytes={offset}-{offset + length - 1}"
        headers = {"Range": wanted, "Accept-Encoding": "identity", "User-Agent": "wheels-index"}
        try:
            with self._open(Request(self._url, headers=headers), timeout=_SECONDS) as response:  # noqa: S310  (https)
                self._check(response, offset, length)
                return _whole_piece(response, length)
        except HTTPError as error:
            error.close()
            raise OSError(f"the server answers {error.code}") from None
        except HTTPException as error:
            raise OSError(f"the server does not speak HTTP: {type(error).__name__}") from None

    def _check(self, response: HTTPResponse, offset: int, length: int) -> None:
        found = _RANGE.fullmatch(response.headers.get("Content-Range") or "")
        if response.status != _PARTIAL or found is None:
            raise Damaged("the server sends no pieces of the file (no range requests)")
        first, last, size = map(int, found.groups())
        tag = response.headers.get("ETag")
        if (first, last) != (offset, offset + length - 1):
            raise Damaged("the server sends another piece than the one asked for")
        if self._size and (size, tag) != (self._size, self._tag):
            raise Damaged("the file changed while it was read")
        self._size, self._tag = size, tag


def _whole_piece(response: HTTPResponse, length: int) -> bytes:
    """The body, within a limit of time: a server that sends a byte now and then holds nobody up."""
    piece, end = bytearray(), time.monotonic() + _PIECE_SECONDS
    while len(piece) < length:
        part = response.read1(length - len(piece))
        if not part:
            raise Damaged("the connection ended before the piece was whole")
        if time.monotonic() > end:
            raise OSError(f"no piece of {length} bytes came within {_PIECE_SECONDS:.0f} s")
        piece += part
    return bytes(piece)
