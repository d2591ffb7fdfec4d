"""Can a host be reached: one connection, nothing sent."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from torchdoctor.core.i18n.messages import message
from torchdoctor.doctor.model import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["probe_connectivity"]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


def probe_connectivity(url: str, environ: Mapping[str, str], *, seconds: float) -> Reach:
    """Connect to the host of `url`, or to the proxy that leads there; never raises, never longer than `seconds`."""
    target = urlsplit(url)
    proxy = _proxy_for(target.scheme, target.hostname or "", environ)
    door = urlsplit(proxy) if proxy else target
    host = target.hostname or ""
    through = f"{door.hostname}:{door.port or _PORTS.get(door.scheme, 80)}" if proxy else None
    started = time.monotonic()
    try:
        port = door.port or _PORTS.get(door.scheme, 443)
        with socket.create_connection((door.hostname or "", port), timeout=seconds):
            return Reach(host=host, seconds=time.monotonic() - started, through=through)
    except socket.gaierror:
        return Reach(host=host, why=message("its name does not resolve"), through=through)
    except TimeoutError:
        return Reach(
            host=host, why=message("no answer within {seconds:g} s", seconds=seconds), through=through
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Reach(host=host, why=reason, through=through)


def _proxy_for(scheme: str, host: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the variables name for the host, as they are read by curl and requests."""
    skipped = [
        row.strip().lstrip(".") for row in (_either(environ, "no_proxy") or "").split(",") if row.strip()
    ]
    if any(row in {"*", host} or host.endswith(f".{row}") for row in skipped):
        return None
    return _either(environ, f"{scheme}_proxy") or _either(environ, "all_proxy")


def _either(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name) or environ.get(name.upper()) or None
