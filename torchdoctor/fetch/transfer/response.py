"""A response to a request for a range of a file: its headers are checked before a byte of it is used."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from torchdoctor.core.i18n import message
from torchdoctor.core.net import open_stream
from torchdoctor.core.net.http import failure_reason, iter_body
from torchdoctor.core.urls import InsecureRedirect
from torchdoctor.fetch.transfer.faults import Fault, FaultKind
from torchdoctor.fetch.transfer.retry import parse_retry_after

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import requests

__all__ = ["RangeResponse", "Validator", "parse_content_range", "request_range"]

_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Validator:
    """What a server calls this state of the file: its `ETag` and `Last-Modified`, each as sent."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def condition(self) -> str | None:
        """The value for `If-Range`: a strong ETag, else the date.

        https://www.rfc-editor.org/rfc/rfc9110#name-if-range
        """
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified

    def contradicts(self, other: Validator) -> bool:
        """Return whether the two say that these are different files."""
        if self.etag and other.etag:
            return self.etag != other.etag
        return bool(self.last_modified and other.last_modified and self.last_modified != other.last_modified)


@dataclass(frozen=True, kw_only=True, slots=True)
class RangeResponse:
    """An open response. Its body starts at byte `start` of a file of `total` bytes (None: the server does not say).

    `ranged`: the server has ranges; without them the body is the whole file. `waited` are the seconds before it came.
    """

    response: requests.Response
    start: int
    end: int | None
    total: int | None
    validator: Validator
    ranged: bool
    waited: float = 0.0

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the body as it arrives; every failure of the network becomes a `Fault`."""
        import requests

        try:
            yield from iter_body(self.response, size)
        except (requests.RequestException, OSError, ValueError, AttributeError) as error:
            # AttributeError: urllib3 raises it when another thread shut the connection down between two reads.
            raise Fault("broken", _broken(error)) from error

    def has_unread(self) -> bool:
        """Return whether bytes have arrived that nobody has read yet; False where the connection cannot tell."""
        from urllib3.util import wait_for_read

        try:
            return wait_for_read(cast("socket.socket", self.response.raw), timeout=0)
        except (OSError, ValueError, AttributeError):  # its thread has closed it meanwhile
            return False

    def stop(self) -> None:
        """End the response from another thread, which wakes the one that waits for bytes."""
        with contextlib.suppress(Exception):
            self.response.raw.shutdown()

    def close(self) -> None:
        """Release the connection: it is used again when the body was read to its end, else closed."""
        with contextlib.suppress(Exception):
            self.response.close()


def request_range(
    url: str, start: int, end: int | None, validator: Validator | None, *, ranges: bool = True
) -> RangeResponse:
    """Request the bytes from `start` to before `end` (None: to the last); all of them without `ranges`.

    Raises `Fault` when the server refuses, is busy, has another file than `validator` says, or answers with
    something else than the requested range.
    """
    headers = {}
    if ranges:
        headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if validator is not None and validator.condition:
            headers["If-Range"] = validator.condition
    started = time.monotonic()
    response = _open(url, headers)
    waited = time.monotonic() - started
    try:
        return replace(_checked(response, start, end, validator, ranges=ranges), waited=waited)
    except BaseException:
        with contextlib.suppress(Exception):
            response.close()
        raise


def _open(url: str, headers: dict[str, str]) -> requests.Response:
    import requests

    try:
        return open_stream(url, headers)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise Fault("refused", failure_reason(error)) from error
    except (InsecureRedirect, requests.TooManyRedirects) as error:
        raise Fault("refused", str(error)) from error
    except TimeoutError as error:
        raise Fault("late", failure_reason(error)) from error
    except (requests.RequestException, OSError, ValueError) as error:
        # The words of OpenSSL and http.client; these failures stay the same however often the request is repeated.
        untrusted = isinstance(error, requests.exceptions.SSLError) and "certificate" in str(error).lower()
        proxy_refuses = "Tunnel connection failed" in str(error)
        kind: FaultKind = "refused" if untrusted or proxy_refuses else "broken"
        raise Fault(kind, failure_reason(error)) from error


def _checked(
    response: requests.Response, start: int, end: int | None, validator: Validator | None, *, ranges: bool
) -> RangeResponse:
    _expect_a_file(response, start)
    headers = response.headers
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Fault("refused", message("it answers with an encoded body, which was not requested"))
    found = Validator(etag=headers.get("ETag"), last_modified=headers.get("Last-Modified"))
    if validator is not None and validator.contradicts(found):
        raise Fault("changed", message("the file on the server has changed"))
    length = _length(headers.get("Content-Length"))
    if response.status_code == HTTPStatus.OK:
        return RangeResponse(
            response=response, start=0, end=length, total=length, validator=found, ranged=False
        )
    content_range = parse_content_range(headers.get("Content-Range"))
    if not ranges or content_range is None:
        raise Fault("bad-range", message("it answers with a part that was not requested"))
    first, last, total = content_range
    if first != start or (end is not None and last >= end):
        raise Fault(
            "bad-range",
            message(
                "it answers with the bytes {first}-{last}, and others were requested", first=first, last=last
            ),
        )
    if length is not None and length != last - first + 1:
        raise Fault(
            "bad-range",
            message(
                "it announces {length} bytes for a range of {last}", length=length, last=last - first + 1
            ),
        )
    return RangeResponse(
        response=response, start=first, end=last + 1, total=total, validator=found, ranged=True
    )


def _expect_a_file(response: requests.Response, start: int) -> None:
    status = response.status_code
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    reason = message("the server answers {status}", status=status)
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
        raise Fault("changed", message("the file there is shorter now"))
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Fault("busy", reason, retry_after=parse_retry_after(response.headers.get("Retry-After")))
    raise Fault("refused", reason, status=status)


def parse_content_range(text: str | None) -> tuple[int, int, int | None] | None:
    """Return first byte, last byte and size of `Content-Range: bytes 0-9/100`; None when it makes no sense.

    https://www.rfc-editor.org/rfc/rfc9110#name-content-range
    """
    match = re.fullmatch(
        r"\s*bytes\s+(\d{1,15})-(\d{1,15})/(\d{1,15}|\*)\s*", text or "", re.ASCII | re.IGNORECASE
    )
    if match is None:
        return None
    first, last, total = int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])
    if last < first or (total is not None and last >= total):
        return None
    return first, last, total


def _length(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,15}", text, re.ASCII) else None


def _broken(error: BaseException) -> str:
    text = failure_reason(error)
    if "IncompleteRead" in text or "more expected" in text or "Connection broken" in text:
        return message("the connection closed before the end")
    return text
