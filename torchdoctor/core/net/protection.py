"""Which URLs are protected on their way: https, and what never leaves this machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["is_protected"]


def is_protected(url: str) -> bool:
    """Return whether nobody between here and its host can change what a URL gives.

    >>> is_protected("https://pypi.org/simple"), is_protected("http://127.0.0.1:3141/root/pypi"), is_protected("file:///x")
    (True, True, True)
    >>> is_protected("http://devpi.example.org/simple"), is_protected("http://127.0.0.1.example.org/simple")
    (False, False)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme.lower() in ("https", "file"):
        return True
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
