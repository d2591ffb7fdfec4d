"""download.pytorch.org and other hosts on loopback: a CONNECT proxy that answers for each from an index, over TLS."""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

    from tests.loopback import LoopbackIndex

HOST = "download.pytorch.org"


class OfficialHost:
    """Serves `index` as `https://download.pytorch.org`, and `others` by their hosts, to whoever uses `environ`.

    Every other host is refused, and so is one whose index is None.
    """

    def __init__(
        self,
        index: LoopbackIndex | None,
        folder: Path,
        others: Mapping[str, LoopbackIndex | None] | None = None,
    ) -> None:
        self.hosts = {HOST: index, **(others or {})}
        self.asked: list[str] = []
        authority = trustme.CA()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*self.hosts).configure_cert(self._tls)
        self.certificates = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.certificates))

    def __enter__(self) -> Self:
        host = self

        class Tunnel(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                name = self.path.removesuffix(":443")
                host.asked.append(name)
                index = host.hosts.get(name)
                if index is None:
                    self.send_error(502)
                    return
                self.send_response(200)
                self.end_headers()
                with (
                    contextlib.suppress(OSError),
                    host._tls.wrap_socket(self.connection, server_side=True) as secure,
                ):
                    host._serve(index, secure, self.client_address, self.server)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def _serve(index: LoopbackIndex, connection: ssl.SSLSocket, address: object, server: object) -> None:
        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.answer(self)

            def do_HEAD(self) -> None:
                index.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        Answer(connection, address, server)  # type: ignore[arg-type]

    @property
    def environ(self) -> dict[str, str]:
        """Variables of a program that is to reach it; loopback itself is reached without it."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "SSL_CERT_FILE": str(self.certificates),
            "REQUESTS_CA_BUNDLE": str(self.certificates),
        }
