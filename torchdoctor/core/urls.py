"""URLs as they may be shown, and as they may be written down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "InsecureRedirect",
    "mask_url",
    "mask_urls_in",
    "plain_url",
    "redact_url",
    "redact_urls_in",
    "strip_credentials",
]

_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s\"'`<>|\\^{}]{1,4000}")
# At the end of a sentence it is no part of the URL.
_AFTER = ".,;:!?)]"
_CUT = "…"


class InsecureRedirect(ValueError):
    """A redirect from https to a scheme that protects nothing."""


def redact_url(url: str) -> str:
    """The URL as a person may see it: no credentials before its host and no query, which may hold a token.

    Under a host that is no known public index a path that is more than the usual words of an index is cut to its last
    name: some indexes take a token as a folder.

    >>> redact_url("https://ada:pw@dl.cloudsmith.io/tOk3n/org/repo/python/simple?x=1")
    'https://****@dl.cloudsmith.io/…/simple?****'
    """
    parts = _split(url)
    return "a URL that cannot be read" if parts is None else _joined(_shown(parts, _cut_path), url)


def plain_url(url: str) -> str:
    """The URL as a person may see it who is asked about it: letters that look like others are written as escapes.

    >>> plain_url("https://p\u0443pi.org/simple")
    'https://p\\u0443pi.org/simple'
    """
    return redact_url(url).encode("ascii", "backslashreplace").decode("ascii")


def mask_url(url: str) -> str:
    """The URL for a program that reads our JSON: `****` for credentials, the query and secret parts of the path."""
    parts = _split(url)
    return "a URL that cannot be read" if parts is None else _joined(_shown(parts, _masked_path), url)


def strip_credentials(url: str) -> str:
    """The URL as it may be written down to be used: no credentials, no query, `****` for secret parts of its path.

    Who has the index in the own settings gets them back: see `lock/credentials.py`.
    """
    parts = _split(url)
    if parts is None:
        return ""
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="")
    return _joined(bare._replace(path=_masked_path(_host_of(bare), bare.path)), url)


def redact_urls_in(text: str) -> str:
    """Return a text with each URL in it as a person may see it."""
    return _with_each_url(text, redact_url)


def mask_urls_in(text: str) -> str:
    """Return a text with `****` for what is secret in each URL in it."""
    return _with_each_url(text, mask_url)


def _with_each_url(text: str, by: Callable[[str], str]) -> str:
    if "://" not in text:
        return text

    def shown(match: re.Match[str]) -> str:
        url = match[0].rstrip(_AFTER)
        return by(url) + match[0][len(url) :]

    return _URL.sub(shown, text)


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _shown(parts: SplitResult, path_of: Callable[[str, str], str]) -> SplitResult:
    netloc = f"****@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    path = path_of(_host_of(parts), parts.path)
    return parts._replace(netloc=netloc, query="****" if parts.query else "", path=path)


def _host_of(parts: SplitResult) -> str:
    """The host without credentials and port; empty for a file."""
    if parts.scheme.endswith("file"):
        return ""
    return parts.netloc.rpartition("@")[2].partition(":")[0].lower()


def _masked_path(host: str, path: str) -> str:
    if path in ("", "/"):
        return path
    from torchdoctor.core.url_paths import HIDDEN_PART, secret_parts

    hidden = secret_parts(host, path)
    return "/".join(
        HIDDEN_PART if secret else part for part, secret in zip(path.split("/"), hidden, strict=True)
    )


def _cut_path(host: str, path: str) -> str:
    if path in ("", "/") or not host:
        return path
    from torchdoctor.core.url_paths import is_public_host, is_usual_path, secret_parts

    if is_public_host(host) or is_usual_path(path):
        return path
    names = path.rstrip("/").split("/")
    if secret_parts(host, path)[len(names) - 1]:
        return f"/{_CUT}"
    return f"/{_CUT}/{names[-1]}" if len([name for name in names if name]) > 1 else f"/{names[-1]}"


def _joined(parts: SplitResult, url: str) -> str:
    """The URL of these parts; `git+file:///path` keeps its empty host, which `urlunsplit` drops."""
    text = urlunsplit(parts)
    if not parts.netloc and url.lower().startswith(f"{parts.scheme}://") and "://" not in text:
        return text.replace(":", "://", 1)
    return text
