"""Whether a host can be reached: opens one connection and sends nothing."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Reach", "probe_connectivity"]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Whether a host accepts connections."""

    host: str
    seconds: float | None = None  # time to connect; None where it failed
    reason: str | None = None  # why it failed; None where it did not
    through: str | None = None  # host:port of the proxy in between; None where there is none


def probe_connectivity(url: str, environ: Mapping[str, str], *, seconds: float) -> Reach:
    """Connect to the host of `url`, or to the proxy in front of it; never raises, never takes longer than `seconds`."""
    target = urlsplit(url)
    host = target.hostname or ""
    proxy = _proxy_for(target.scheme, host, environ)
    peer = urlsplit(proxy) if proxy else target
    through = f"{peer.hostname}:{peer.port or _PORTS.get(peer.scheme, 80)}" if proxy else None
    started = time.monotonic()
    try:
        port = peer.port or _PORTS.get(peer.scheme, 443)
        with socket.create_connection((peer.hostname or "", port), timeout=seconds):
            return Reach(host=host, seconds=time.monotonic() - started, through=through)
    except socket.gaierror:
        return Reach(host=host, reason=message("its name does not resolve"), through=through)
    except TimeoutError:
        return Reach(
            host=host, reason=message("no answer within {seconds:g} s", seconds=seconds), through=through
        )
    except (OSError, ValueError) as error:
        return Reach(host=host, reason=getattr(error, "strerror", None) or str(error), through=through)


def _proxy_for(scheme: str, host: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment variables set for the host, read as curl and requests read them."""
    no_proxy = (_variable(environ, "no_proxy") or "").split(",")
    domains = [domain.strip().lstrip(".") for domain in no_proxy if domain.strip()]
    if any(domain in {"*", host} or host.endswith(f".{domain}") for domain in domains):
        return None
    return _variable(environ, f"{scheme}_proxy") or _variable(environ, "all_proxy")


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name) or environ.get(name.upper()) or None
