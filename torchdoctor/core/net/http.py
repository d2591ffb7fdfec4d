"""The one place that speaks HTTP: sessions with the system's certificates, and pages of bounded size."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from torchdoctor.core.i18n import message
from torchdoctor.core.net.named_files import refuse_special_files
from torchdoctor.core.threads import start_thread
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from torchdoctor.core.net._session import SessionParts

__all__ = [
    "NotFound",
    "Page",
    "Unreachable",
    "close_connections",
    "failure_reason",
    "fetch_page",
    "http_session",
    "iter_body",
    "open_stream",
]

T = TypeVar("T")

# Seconds to connect and between two bytes. A page is small: a host that needs longer is out of reach.
PAGE_TIMEOUT = (5.0, 15.0)
PAGE_SECONDS = 60.0
PAGE_LIMIT = 64 * 1024 * 1024
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


class Unreachable(SourceFailed):
    """The host did not answer, or not with a page."""

    code = "unreachable"


class NotFound(SourceFailed):
    """The host answered that there is no such page. download.pytorch.org says 403 for that, not 404.

    https://github.com/pytorch/pytorch/issues/81900
    """

    code = "absent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page: its body, what it says it is, and the URL it came from after redirects.

    `etag` and `last_modified` are for asking again; `unchanged` is the answer that nothing is new, with no body.
    """

    body: bytes
    content_type: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False


def http_session() -> requests.Session:
    """Return a session of the caller's own: requests does not promise that threads can share one.

    All share one pool of connections, which is made for threads. Proxies, netrc and `REQUESTS_CA_BUNDLE` come from the
    environment, certificates from the system's store too, which `SSL_CERT_FILE` replaces. A redirect from https to http
    is refused: what follows would be unprotected. Raises `UsageError` where one of those files is none.
    """
    refuse_special_files(os.environ)
    return _parts().session()


def close_connections() -> None:
    """Close every connection that is kept open, and read the certificates anew for the next one."""
    _parts().close()
    _parts.cache_clear()


@cache
def _parts() -> SessionParts:
    """Made once, on first use: requests takes 60 ms to import."""
    from torchdoctor.core.net._session import SessionParts

    return SessionParts()


def fetch_page(url: str, *, etag: str | None = None, last_modified: str | None = None) -> Page:
    """The page at `url`; raises `NotFound` for 403, 404 and 410, `Unreachable` for everything else.

    With the `etag` or `last_modified` of an earlier answer the page may be `unchanged`.
    """
    import requests

    # https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {"Accept": ACCEPT, **{name: value for name, value in conditions.items() if value}}
    try:
        return with_deadline(PAGE_SECONDS, lambda: _get_page(url, headers))
    except (requests.RequestException, OSError, ValueError) as error:
        raise _unreachable(url, failure_reason(error)) from error


def _get_page(url: str, headers: dict[str, str]) -> Page:
    with http_session().get(url, headers=headers, timeout=PAGE_TIMEOUT, stream=True) as answer:
        if answer.status_code in (403, 404, 410):
            raise NotFound(
                message("{url} answers {status}", url=redact_url(url), status=answer.status_code),
                fix=message("name another source"),
            )
        if answer.status_code == 304 and len(headers) > 1:  # noqa: PLR2004
            return _page(answer, b"", unchanged=True)
        if answer.status_code != 200:  # noqa: PLR2004
            raise _unreachable(
                url,
                message("it answers {status}", status=f"{answer.status_code} {answer.reason or ''}".strip()),
            )
        body = bytearray()
        for chunk in iter_body(answer):
            body += chunk
            if len(body) > PAGE_LIMIT:
                raise _unreachable(
                    url, message("its page is larger than {limit} MiB", limit=PAGE_LIMIT >> 20)
                )
        return _page(answer, bytes(body))


def open_stream(url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
    """The answer to a request for a file, its body not read yet; raises what `requests` does, or TimeoutError."""
    sent = {"Accept-Encoding": "identity", **(headers or {})}
    return with_deadline(
        PAGE_SECONDS,
        lambda: http_session().get(url, headers=sent, timeout=PAGE_TIMEOUT, stream=True),
        lambda response: response.close(),
    )


def iter_body(answer: requests.Response, size: int = 1 << 16) -> Iterator[bytes]:
    """The body as it arrives, whatever the size of the pieces, so that a slow one can be given up."""
    import requests
    from urllib3.exceptions import HTTPError

    try:
        while chunk := answer.raw.read1(size, decode_content=True):
            yield chunk
    except HTTPError as error:
        raise requests.ConnectionError(error) from error


def with_deadline(
    seconds: float, call: Callable[[], T], discard: Callable[[T], object] = lambda _: None
) -> T:
    """Return the result of `call`; raises TimeoutError after `seconds`, however slowly a server sends its headers.

    A thread cannot be stopped: the one that is late is left behind, and does not keep the program alive. `discard`
    gets the result that comes too late.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    lock = threading.Lock()
    late = False

    def work() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001  (it goes on in the caller's thread)
            errors.append(error)
            return
        with lock:
            if not late:
                results.append(result)
                return
        discard(result)

    start_thread(work).join(seconds)
    with lock:
        late = not results
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(message("no whole answer within {seconds:.0f} s", seconds=seconds))
    return results[0]


def _page(answer: requests.Response, body: bytes, *, unchanged: bool = False) -> Page:
    return Page(
        body=body,
        content_type=answer.headers.get("Content-Type", ""),
        url=answer.url,
        etag=answer.headers.get("ETag"),
        last_modified=answer.headers.get("Last-Modified"),
        unchanged=unchanged,
    )


def _unreachable(url: str, why: str) -> Unreachable:
    return Unreachable(
        message("{url} cannot be read: {why}", url=redact_url(url), why=why),
        fix=message("check the network and the proxy settings, or name another source with --index-url"),
    )


def failure_reason(error: BaseException) -> str:
    """The cause at the bottom of a chain of network errors, in a few words."""
    import requests

    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        inner = getattr(cause, "reason", None)
        cause = inner if isinstance(inner, BaseException) else _first_exception(cause) or cause.__cause__
    text = " ".join(str(part) for part in seen)
    for sign, words in (
        ("Name or service not known", message("its name does not resolve")),
        ("getaddrinfo failed", message("its name does not resolve")),
        ("Temporary failure in name resolution", message("its name does not resolve")),
        ("nodename nor servname", message("its name does not resolve")),
        ("No address associated", message("its name does not resolve")),
        ("Connection refused", message("it refuses the connection")),
        ("CERTIFICATE_VERIFY_FAILED", message("its certificate is not trusted here")),
        ("Network is unreachable", message("the network is unreachable")),
        ("Tunnel connection failed", message("the proxy refuses it")),
    ):
        if sign in text:
            return words
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return message("it does not answer in time")
    return (str(seen[-1]) or type(seen[-1]).__name__)[:200]


def _first_exception(error: BaseException) -> BaseException | None:
    return next((arg for arg in error.args if isinstance(arg, BaseException)), None)
