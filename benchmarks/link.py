"""A connection with a real round trip: two network namespaces, with a delay for every packet between them.

It uses Linux's own TCP, so that slow start, windows and buffers behave as with a distant server. It
needs root, /dev/net/tun and `ip`.
"""

from __future__ import annotations

import ctypes
import fcntl
import multiprocessing
import os
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Link", "enter", "link", "why_not"]

# https://github.com/torvalds/linux/blob/master/include/uapi/linux/if_tun.h
_TUNSETIFF, _TUNSETOFFLOAD = 0x400454CA, 0x400454D0
_TUN, _NO_PI, _VNET_HDR = 0x0001, 0x1000, 0x4000
_CSUM_TSO4 = 0x01 | 0x02  # packets come in bundles of up to 64 kB, as from a network card
_CLONE_NEWNET = 0x40000000
_PACKET = 1 << 17
_BACKLOG = 1 << 26  # bytes on their way; what comes beyond is dropped, as by a full router


@dataclass(frozen=True)
class Link:
    """The names of the two namespaces, and the server's address."""

    server: str
    client: str
    address: str


def why_not() -> str | None:
    """Why there can be no link here; None when there can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "it needs root on Linux"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return None


def enter(namespace: str) -> None:
    """Have this process in a network namespace made by `ip netns`."""
    with Path("/run/netns", namespace).open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the namespace {namespace} cannot be entered")


@contextmanager
def link(round_trip: float) -> Iterator[Link]:
    """A link on which an answer takes at least so many seconds."""
    tag = f"td{os.getpid() % 100000}"
    found = Link(f"{tag}s", f"{tag}c", "10.83.0.1")
    try:
        for name in (found.server, found.client):
            _ip("netns", "add", name)
        context = multiprocessing.get_context("spawn")
        ready = context.Event()
        relay = context.Process(target=_relay, args=(found, round_trip / 2, ready), daemon=True)
        relay.start()
        if not ready.wait(20):
            raise RuntimeError("the link did not come up")
        for name, own, other in ((found.server, "1", "2"), (found.client, "2", "1")):
            at = ("netns", "exec", name, "ip")
            _ip(*at, "link", "set", "lo", "up")
            _ip(*at, "addr", "add", f"10.83.0.{own}", "peer", f"10.83.0.{other}", "dev", "far0")
            _ip(*at, "link", "set", "far0", "mtu", "1500", "txqueuelen", "10000", "up")
        try:
            yield found
        finally:
            relay.terminate()
            relay.join(5)
    finally:
        for name in (found.server, found.client):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _relay(found: Link, delay: float, ready: Any) -> None:
    """The process that holds packets up."""
    ends = [_tun(found.server), _tun(found.client)]
    ready.set()
    for here, there in (ends, ends[::-1]):
        _Direction(here, there, delay).start()
    threading.Event().wait()


def _tun(namespace: str) -> int:
    enter(namespace)
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", b"far0", _TUN | _NO_PI | _VNET_HDR))
    fcntl.ioctl(handle, _TUNSETOFFLOAD, _CSUM_TSO4)
    return handle


class _Direction:
    """Carries packets one way."""

    def __init__(self, here: int, there: int, delay: float) -> None:
        self._here, self._there, self._delay = here, there, delay
        self._queue: deque[tuple[float, bytes]] = deque()
        self._bytes, self._some = 0, threading.Event()

    def start(self) -> None:
        """Both threads."""
        threading.Thread(target=self._take, daemon=True).start()
        threading.Thread(target=self._give, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                packet = os.read(self._here, _PACKET)
            except OSError:  # the interface is not up yet
                time.sleep(0.01)
                continue
            if self._bytes < _BACKLOG:
                self._bytes += len(packet)
                self._queue.append((time.monotonic() + self._delay, packet))
                self._some.set()

    def _give(self) -> None:
        while True:
            self._some.wait()
            self._some.clear()
            while self._queue:
                due, packet = self._queue.popleft()
                left = due - time.monotonic()
                if left > 0:
                    time.sleep(left)
                self._bytes -= len(packet)
                try:
                    os.write(self._there, packet)
                except OSError:
                    continue
