"""A real CONNECT proxy on loopback that asks for a name and a password."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Proxy:
    """Lets `user:password` through; `tunnels` are the hosts that were asked for, `refused` counts the others."""

    def __init__(self, user: str, password: str) -> None:
        self._right = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.tunnels: list[str] = []
        self.refused = 0

    def __enter__(self) -> Self:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                if self.headers.get("Proxy-Authorization") != proxy._right:
                    proxy.refused += 1
                    self.send_response(407)
                    self.send_header("Proxy-Authenticate", "Basic")
                    self.end_headers()
                    return
                proxy.tunnels.append(self.path)
                host, _, port = self.path.rpartition(":")
                with socket.create_connection((host, int(port)), timeout=10) as far:
                    self.send_response(200)
                    self.end_headers()
                    _join(self.connection, far)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])


def _join(near: socket.socket, far: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            for one in select.select([near, far], [], [], 10)[0]:
                data = one.recv(65536)
                if not data:
                    return
                (far if one is near else near).sendall(data)
