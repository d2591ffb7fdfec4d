"""A real HTTP(S) server on loopback that serves files in ranges, with faults switched on per request."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

_PIECE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How an answer goes wrong.

    latency: seconds before it. rate: bytes a second of its connection. close_after, stall_after: bytes of the
    connection's bodies before it closes (with `reset` by RST) or falls silent. drip: seconds between two bytes,
    of the head too with `drip_head`. corrupt: bytes of the file from one to before another are inverted.
    ranges: whether there are any. lie: `offset` (a Content-Range of another place), `shifted` (right words, bytes
    of another place), `long` (Content-Length too large), `size` (another total), `huge` (10 GiB in all).
    nameless: no ETag and no date.
    lengthless: no Content-Length. status, retry_after, location, body: an answer of another kind.
    """

    latency: float = 0.0
    rate: float | None = None
    close_after: int | None = None
    reset: bool = False
    stall_after: int | None = None
    drip: float | None = None
    drip_head: bool = False
    corrupt: tuple[int, int] | None = None
    ranges: bool = True
    lie: str | None = None
    nameless: bool = False
    lengthless: bool = False
    encoding: str | None = None
    status: int | None = None
    retry_after: str | None = None
    location: str | None = None
    body: bytes | None = None


@dataclass
class Seen:
    """A request, and how many bytes of a body it was answered with."""

    path: str
    start: int | None = None
    end: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    sent: int = 0


class FaultServer:
    """Serves `files` (bytes, or a path on disk). `fault` is asked for each request how it goes wrong."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.files: dict[str, bytes | Path] = {}
        self.seen: list[Seen] = []
        self.fault: Callable[[Seen], Fault | None] = lambda _: None
        self.released = threading.Event()
        self.stalled = threading.Event()
        self._tls, self._host = tls, host
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 0
            bodies = 0

            def do_GET(self) -> None:
                with contextlib.suppress(OSError):
                    server._answer(self)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def finish_request(self, request, client_address) -> None:
                if server._tls is not None:
                    try:
                        request = server._tls.wrap_socket(request, server_side=True)
                    except (ssl.SSLError, OSError):
                        return
                try:
                    super().finish_request(request, client_address)
                finally:
                    if server._tls is not None:
                        request.close()

            def handle_error(self, request, client_address) -> None:
                """A client that goes away is part of the play."""

        self._server = Listener((self._host, 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    @property
    def sent(self) -> int:
        """Bytes of all bodies."""
        return sum(row.sent for row in self.seen)

    def asked(self, path: str) -> list[Seen]:
        """Every request for a path."""
        return [row for row in self.seen if row.path == path]

    def _answer(self, request) -> None:
        path = unquote(request.path.partition("?")[0])
        content = self.files.get(path)
        size = 0 if content is None else content.stat().st_size if isinstance(content, Path) else len(content)
        seen = Seen(path, headers={name.lower(): value for name, value in request.headers.items()})
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range") or "")
        if match is not None:
            seen.start, seen.end = int(match[1]), min(int(match[2] or size), size - 1) + 1
        with self._turn:
            self.seen.append(seen)
            fault = self.fault(seen) or Fault()
        time.sleep(fault.latency)
        content = self.files.get(path)
        if fault.status or fault.location or fault.body is not None or content is None:
            self._say(request, seen, fault, path)
        else:
            self._serve(request, seen, content, size, fault)

    def _serve(self, request, seen: Seen, content: bytes | Path, size: int, fault: Fault) -> None:
        etag = _etag(content)
        condition = request.headers.get("If-Range")
        ranged = fault.ranges and seen.start is not None and condition in (None, etag)
        if not isinstance(content, Path):
            size = len(content)
        start, end = (seen.start, min(seen.end, size)) if ranged else (0, size)
        if ranged and start >= size:
            self._head(request, seen, 416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}, fault)
            return
        headers = _headers(fault, etag, start, end, size, ranged)
        headers["Content-Type"] = "text/html" if seen.path.endswith("/") else "binary/octet-stream"
        self._head(request, seen, 206 if ranged else 200, headers, fault)
        if request.command == "HEAD":
            return
        if fault.lie == "shifted" and start:
            start, end = start - 1, end - 1
        self._body(request, seen, content, start, end, fault)
        if fault.lengthless or fault.lie == "long":
            request.close_connection = True

    def _say(self, request, seen: Seen, fault: Fault, path: str) -> None:
        body = fault.body if fault.body is not None else b"<Error><Code>AccessDenied</Code></Error>"
        status = fault.status or (302 if fault.location else 200 if fault.body is not None else 403)
        headers = {"Content-Length": str(len(body))}
        if fault.location:
            headers["Location"] = fault.location
        if fault.retry_after:
            headers["Retry-After"] = fault.retry_after
        if path.endswith("/"):
            headers["Content-Type"] = "text/html"
        self._head(request, seen, status, headers, fault)
        if request.command != "HEAD":
            request.wfile.write(body)

    def _head(self, request, seen: Seen, status: int, headers: dict[str, str], fault: Fault) -> None:
        seen.status = status
        text = f"HTTP/1.1 {status} x\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        data = f"{text}\r\n".encode()
        if fault.drip_head:
            self._drip(request, data, fault.drip or 0.1)
        else:
            request.wfile.write(data)
        if headers.get("Connection") == "close":
            request.close_connection = True

    def _drip(self, request, data: bytes, pause: float) -> int:
        for place in range(len(data)):
            request.wfile.write(data[place : place + 1])
            if self.released.wait(pause):
                return place
        return len(data)

    def _body(self, request, seen: Seen, content: bytes | Path, start: int, end: int, fault: Fault) -> None:
        if fault.drip is not None:
            seen.sent += self._drip(request, _piece(content, start, end, fault), fault.drip)
            return
        if fault.rate or fault.close_after is not None:
            # What lies in a large buffer would count as sent and never arrive.
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIECE)
        handler = type(request)
        since, sent = time.monotonic(), 0
        while start < end:
            room = min(_PIECE, end - start)
            for limit in (fault.close_after, fault.stall_after):
                if limit is not None:
                    room = min(room, limit - getattr(request, "bodies", 0))
            if room <= 0:
                self._break(request, fault)
                return
            data = _piece(content, start, start + room, fault)
            request.wfile.write(data)
            request.bodies = getattr(request, "bodies", handler.bodies) + len(data)
            seen.sent += len(data)
            start, sent = start + len(data), sent + len(data)
            if fault.rate:
                ahead = sent / fault.rate - (time.monotonic() - since)
                if ahead > 0:
                    time.sleep(ahead)

    def _break(self, request, fault: Fault) -> None:
        if fault.stall_after is not None:
            self.stalled.set()
            self.released.wait(120)
        if fault.reset:
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close_connection = True
        with contextlib.suppress(OSError):
            if not fault.reset:
                request.connection.shutdown(socket.SHUT_WR)
            request.connection.close()


def _headers(fault: Fault, etag: str, start: int, end: int, size: int, ranged: bool) -> dict[str, str]:
    headers = {"Content-Length": str(end - start + (1000 if fault.lie == "long" else 0))}
    if fault.ranges:
        headers["Accept-Ranges"] = "bytes"
    if not fault.nameless:
        headers |= {"ETag": etag, "Last-Modified": "Mon, 03 Aug 2026 10:00:00 GMT"}
    if fault.encoding:
        headers["Content-Encoding"] = fault.encoding
    if fault.lie == "huge" and not ranged:
        headers |= {"Content-Length": str(10 << 30), "Connection": "close"}
    if fault.lengthless:
        headers["Connection"] = "close"
        del headers["Content-Length"]
    if ranged:
        move = 1000 if fault.lie == "offset" else 0
        total = size + 1000 if fault.lie in ("size", "offset") else 10 << 30 if fault.lie == "huge" else size
        headers["Content-Range"] = f"bytes {start + move}-{end - 1 + move}/{total}"
    return headers


def _piece(content: bytes | Path, start: int, end: int, fault: Fault) -> bytes:
    if isinstance(content, Path):
        with content.open("rb") as file:
            data = os.pread(file.fileno(), end - start, start)
    else:
        data = content[start:end]
    if fault.corrupt is not None:
        first, last = max(fault.corrupt[0], start), min(fault.corrupt[1], end)
        if first < last:
            wrong = bytes(byte ^ 0xFF for byte in data[first - start : last - start])
            data = data[: first - start] + wrong + data[last - start :]
    return data


def _etag(content: bytes | Path) -> str:
    if isinstance(content, Path):
        status = content.stat()
        return f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


class Times:
    """A fault for the first so many requests, then none; or only for those after some were answered."""

    def __init__(self, fault: Fault, times: int = 1, *, after: int = 0, then: Fault | None = None) -> None:
        self.fault, self.left, self.after, self.then = fault, times, after, then

    def __call__(self, seen: Seen) -> Fault | None:
        if self.after > 0:
            self.after -= 1
            return self.then
        if self.left <= 0:
            return self.then
        self.left -= 1
        return self.fault
