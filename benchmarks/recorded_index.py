"""PyPI on loopback: what was asked for once is answered again without the network, with the headers of PyPI.

Pages of projects may be kept for `page_seconds` (PyPI says 600) and have an ETag; files and their metadata may be kept for ever. With
`page_seconds=0` a client asks each time whether a page has changed, as with a cache of yesterday.
"""

from __future__ import annotations

import hashlib
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

PAGES, FILES = "https://pypi.org", "https://files.pythonhosted.org"
JSON = "application/vnd.pypi.simple.v1+json"


class Answer(NamedTuple):
    """What the real server said."""

    status: int
    kind: str
    body: bytes
    content_range: str = ""


class RecordedIndex:
    """`url/simple/` is PyPI's; each answer waits `latency` seconds first."""

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.page_seconds = 600
        self.answers: dict[tuple[str, str], Answer] = {}
        self.requests = self.fetched = 0
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.answer(self)

            def do_HEAD(self) -> None:
                index.answer(self)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer from memory; ask the real server where that was not done yet."""
        self.requests += 1
        if self.latency:
            time.sleep(self.latency)
        path, ranges = request.path, request.headers.get("Range", "")
        found = self.answers.get((path, ranges)) or self._fetch(path, ranges)
        etag = f'"{hashlib.sha256(found.body).hexdigest()[:32]}"'
        unchanged = found.status == 200 and request.headers.get("If-None-Match") == etag
        request.send_response(304 if unchanged else found.status)
        is_page = path.startswith("/simple/")
        seconds = self.page_seconds if is_page else 365000000
        request.send_header("Cache-Control", f"max-age={seconds}, public{'' if is_page else ', immutable'}")
        request.send_header("ETag", etag)
        if found.content_range:
            request.send_header("Content-Range", found.content_range)
        if not unchanged:
            request.send_header("Content-Type", found.kind)
            request.send_header("Accept-Ranges", "bytes")
            request.send_header("Content-Length", str(len(found.body)))
        request.end_headers()
        if request.command == "GET" and not unchanged:
            request.wfile.write(found.body)

    def _fetch(self, path: str, ranges: str) -> Answer:
        self.fetched += 1
        base = PAGES if path.startswith("/simple/") else FILES
        headers = {"Accept": JSON if base == PAGES else "*/*", "User-Agent": "torchdoctor-benchmark"}
        if ranges:
            headers["Range"] = ranges
        try:
            with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=60) as got:  # noqa: S310
                body = got.read().replace(FILES.encode(), self.url.encode()) if base == PAGES else got.read()
                kind = got.headers.get("Content-Type", "application/octet-stream")
                found = Answer(got.status, kind, body, got.headers.get("Content-Range", ""))
        except urllib.error.HTTPError as error:
            found = Answer(error.code, "text/plain", b"")
        self.answers[path, ranges] = found
        return found
