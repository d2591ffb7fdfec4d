"""PyPI on loopback: what was asked for once is answered again without the network, with the headers of PyPI.

Pages of projects may be kept for `page_seconds` (PyPI says 600) and have an ETag; files and their metadata may be kept
for ever. What is asked for first is read from PyPI.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

PAGES, FILES = "https://pypi.org", "https://files.pythonhosted.org"
JSON = "application/vnd.pypi.simple.v1+json"


class Answer(NamedTuple):
    """What the real server said."""

    status: int
    kind: str
    body: bytes
    content_range: str = ""
    size: int | None = None  # of the file, where only its head was asked for


class QuietServer(ThreadingHTTPServer):
    """Says nothing of a client that hung up."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Stay silent."""


class RecordedIndex:
    """`url/simple/` is PyPI's, kept in `folder`; each answer waits `latency` seconds first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.latency = 0.0
        self.page_seconds = 600
        self.answers: dict[tuple[str, str], Answer] = {}
        self.requests = 0
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.answer(self)

            def do_HEAD(self) -> None:
                index.answer(self)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer from memory; ask the real server where that was not done yet."""
        self.requests += 1
        if self.latency:
            time.sleep(self.latency)
        path, ranges = request.path, request.headers.get("Range", "")
        part = "HEAD" if request.command == "HEAD" else ranges
        found = self.answers.get((path, part)) or self._fetch(path, part)
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
            request.send_header(
                "Content-Length", str(found.size if found.size is not None else len(found.body))
            )
        request.end_headers()
        if request.command == "GET" and not unchanged:
            request.wfile.write(found.body)

    def _fetch(self, path: str, part: str) -> Answer:
        """Read an answer from the folder of earlier ones, else from the real server; `part` is a range, or HEAD."""
        is_page = path.startswith("/simple/")
        kept = self.folder / hashlib.sha256(f"{path} {part}".encode()).hexdigest()
        if kept.is_file():
            head, _, body = kept.read_bytes().partition(b"\n")
            status, kind, content_range, size = json.loads(head)
            found = Answer(status, kind, body, content_range, size)
        else:
            found = _ask((PAGES if is_page else FILES) + path, part, JSON if is_page else "*/*")
            head = json.dumps([found.status, found.kind, found.content_range, found.size]).encode()
            kept.with_suffix(".part").write_bytes(head + b"\n" + found.body)
            kept.with_suffix(".part").replace(kept)
        if is_page:
            found = found._replace(body=found.body.replace(FILES.encode(), self.url.encode()))
        self.answers[path, part] = found
        return found


def _ask(url: str, part: str, accept: str) -> Answer:
    headers = {"Accept": accept, "User-Agent": "torchdoctor-benchmark"}
    method = "HEAD" if part == "HEAD" else "GET"
    if part and method == "GET":
        headers["Range"] = part
    asked = urllib.request.Request(url, headers=headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=60) as got:  # noqa: S310
            kind = got.headers.get("Content-Type", "application/octet-stream")
            size = int(got.headers.get("Content-Length", 0)) if method == "HEAD" else None
            return Answer(got.status, kind, got.read(), got.headers.get("Content-Range", ""), size)
    except urllib.error.HTTPError as error:
        return Answer(error.code, "text/plain", b"")
