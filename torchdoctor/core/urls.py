"""URLs as they may be shown."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

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
    return _joined(parts._replace(netloc=netloc, query="****" if parts.query else ""), url)


def strip_credentials(url: str) -> str:
    """The URL as it may be written down: without credentials and query, which may hold a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return _joined(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""), url)


def _joined(parts: SplitResult, url: str) -> str:
    """The URL of these parts; `git+file:///path` keeps its empty host, which `urlunsplit` drops."""
    text = urlunsplit(parts)
    if not parts.netloc and url.lower().startswith(f"{parts.scheme}://") and "://" not in text:
        return text.replace(":", "://", 1)
    return text
