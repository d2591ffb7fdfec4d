"""Where a link leads: join it with its page, and refuse the tricks that hide the true place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

__all__ = ["LinkTarget", "UnsafeLink", "link_target"]

_MAX_URL_LENGTH = 4096
# Parsers drop these, or read a backslash as a slash: https://url.spec.whatwg.org/#url-parsing
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_HIDDEN_SEPARATOR = re.compile(r"%(?:2f|5c|0.|1.|7f)|(?:^|/)(?:%2e|\.%2e)", re.ASCII | re.IGNORECASE)
_SHA256 = re.compile(r"(?:^|&)sha256=([^&]*)", re.ASCII)


class UnsafeLink(ValueError):
    """Why a link is not followed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkTarget:
    """A link's URL without fragment, the file name in it, its path, and the digest of the fragment."""

    url: str
    path: str
    filename: str
    sha256: str | None


def link_target(href: str, *, base: str, page_url: str, suffix: str = ".whl") -> LinkTarget | None:
    """Return where a link leads, or None when it is not to a wheel (or another file named `suffix`).

    Raises `UnsafeLink` for a link to a wheel that hides its path, climbs where no index does, or leaves for
    another scheme.
    """
    href = href.strip(" \t\r\n\f")
    place, _, fragment = href.partition("#")
    if not unquote(place.partition("?")[0][-12:]).lower().endswith(suffix):
        return None
    if len(place) > _MAX_URL_LENGTH:
        raise UnsafeLink(f"the link has {len(place)} characters, more than {_MAX_URL_LENGTH}")
    if _FORBIDDEN.search(place):
        raise UnsafeLink("the link has a backslash or a control character")
    split = _split(place)
    if _HIDDEN_SEPARATOR.search(split.path):
        raise UnsafeLink("the link hides a separator or a dot behind a % code")
    _check_climb(split, base)
    # Most links say it all: joining them with their page takes as long as all the rest.
    whole = bool(split.scheme and split.netloc and "/." not in split.path and "?" not in place)
    url = place if whole else _join(base, place)
    joined = split if whole else _split(url)
    _check_scheme(joined, _split(page_url))
    digest = _SHA256.search(fragment)
    return LinkTarget(
        url=url,
        path=joined.path,
        filename=unquote(joined.path.rpartition("/")[2]),
        sha256=digest[1] if digest else None,
    )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise UnsafeLink(f"not a URL: {error}"[:200]) from None


def _join(base: str, place: str) -> str:
    try:
        return urljoin(base, place)
    except ValueError as error:
        raise UnsafeLink(f"not a URL: {error}"[:200]) from None


def _check_climb(link: SplitResult, base: str) -> None:
    """Allow `..` only where real indexes have it: at the front of a relative link, and not above the root.

    Artifactory and Nexus write `../../packages/torch/2.4.1/torch-2.4.1-....whl`.
    """
    segments = link.path.split("/")
    if ".." not in segments:
        return
    front = next((i for i, segment in enumerate(segments) if segment != ".."), len(segments))
    relative = not link.scheme and not link.netloc and not link.path.startswith("/")
    if not relative or ".." in segments[front:]:
        raise UnsafeLink("the link has .. within its path")
    if front > _split(base).path.count("/") - 1:
        raise UnsafeLink("the link climbs above the root")


def _check_scheme(link: SplitResult, page: SplitResult) -> None:
    if link.scheme not in ("http", "https", "file"):
        raise UnsafeLink(f"the link's scheme is {link.scheme[:20]!r}, not http, https or file")
    if link.scheme == "http" and page.scheme == "https":
        raise UnsafeLink("a page that is protected by https links to a file over http")
    if link.scheme == "file" and page.scheme != "file":
        raise UnsafeLink("a page of the network links to a file of this machine")
    # file://server/share makes Windows log in at the server.
    if link.scheme == "file" and link.netloc not in ("", "localhost", page.netloc):
        raise UnsafeLink(f"the link leads to the files of another machine: {link.netloc[:80]!r}")
