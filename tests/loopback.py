"""A real HTTP server on loopback: the layout of a wheel index, and faults switched on per path."""

from __future__ import annotations

import contextlib
import hashlib
import html
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from tests.wheelmaker import metadata_of

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class Fault:
    """What goes wrong at a path."""

    status: int | None = None
    body: bytes | None = None
    stall_after: int | None = None
    close_after: int | None = None
    drip: float | None = None
    times: int | None = None
    location: str | None = None  # where it leads, with a status such as 302


@dataclass
class LoopbackIndex:
    """Serves `pages` and `files`; `seen` lists the paths asked for, `faults` maps a path to a `Fault`.

    With `cache_seconds` answers may be kept for that long.
    With `etags` every page has an ETag, and one that the client has already is answered with 304 (`unchanged`).
    """

    pages: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    etags: bool = False
    cache_seconds: int = 0
    unchanged: list[str] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.answer(self)

            def do_HEAD(self) -> None:
                index.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(
        self,
        page: str,
        filename: str,
        content: bytes,
        *,
        digest: str | None = "right",
        sidecar: bool = True,
    ) -> str:
        """List a wheel on a project page such as `/whl/cpu/torch/` and serve it beside that page's folder.

        `digest` is the `#sha256=` of the link: the right one, another, or None for a link without. `sidecar` says
        whether its metadata stands beside it.
        """
        folder = page.rstrip("/").rpartition("/")[0]
        path = f"{folder}/{filename}"
        self.files[path] = content
        known = ""
        if sidecar:
            metadata = metadata_of(content)
            self.files[f"{path}.metadata"] = metadata
            known = f'data-core-metadata="sha256={hashlib.sha256(metadata).hexdigest()}"'
        right = hashlib.sha256(content).hexdigest()
        fragment = f"#sha256={right if digest == 'right' else digest}" if digest else ""
        anchor = f'    <a href="{quote(path)}{fragment}" {known}>{html.escape(filename)}</a><br/>\n'
        listed = self.pages.setdefault(page, b"<!DOCTYPE html>\n<html>\n  <body>\n")
        self.pages[page] = listed + anchor.encode()
        return path

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(request.path.partition("?")[0])
        self.seen.append(path)
        fault = self.faults.get(path)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times < 0:
                fault = None
        body = self.pages.get(path, self.files.get(path))
        status = 200 if body is not None else 403
        if fault is not None:
            status = fault.status or status
            body = fault.body if fault.body is not None else body
        if (
            self.etags
            and fault is None
            and body is not None
            and _etag(body) == request.headers["If-None-Match"]
        ):
            self.unchanged.append(path)
            request.send_response(304)
            request.end_headers()
            return
        self._send(request, status, body or b"<Error><Code>AccessDenied</Code></Error>", fault, path)

    def _drip(self, request: BaseHTTPRequestHandler, body: bytes, pause: float) -> None:
        """One byte at a time: never silent long enough for a time-out between two bytes."""
        with contextlib.suppress(OSError):
            for place in range(len(body)):
                request.wfile.write(body[place : place + 1])
                request.wfile.flush()
                if self.released.wait(pause):
                    return

    def _send(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, fault: Fault | None, path: str
    ) -> None:
        piece = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"] or "")
        if piece and status == 200 and fault is None and path in self.files:
            size, first = len(body), int(piece[1])
            status, body = 206, body[first : int(piece[2]) + 1]
        request.send_response(status)
        if status == 206:
            request.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{size}")
        kind = "binary/octet-stream" if path in self.files else "text/html"
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        if self.etags and status == 200:
            request.send_header("ETag", _etag(body))
        if fault is not None and fault.location is not None:
            request.send_header("Location", fault.location)
        if self.cache_seconds:
            request.send_header("Cache-Control", f"max-age={self.cache_seconds}")
        request.end_headers()
        if request.command == "HEAD":
            return
        if fault is not None and fault.drip is not None:
            self._drip(request, body, fault.drip)
            return
        cut = fault.stall_after if fault and fault.stall_after is not None else fault and fault.close_after
        request.wfile.write(body if cut is None else body[:cut])
        request.wfile.flush()
        if fault is not None and fault.stall_after is not None:
            self.stalled.set()
            self.released.wait(120)
        if cut is not None:
            request.close_connection = True


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'
