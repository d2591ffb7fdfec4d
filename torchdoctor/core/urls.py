"""URLs as they may be shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

__all__ = ["InsecureRedirect", "redact_url", "strip_credentials"]


class InsecureRedirect(ValueError):
    """A redirect from https to a scheme that protects nothing."""


def redact_url(url: str) -> str:
    """The URL without the credentials before its host and without its query, which may hold a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    netloc = f"****@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query="****" if parts.query else ""))


def strip_credentials(url: str) -> str:
    """The URL as it may be written down: without credentials and query, which may hold a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
