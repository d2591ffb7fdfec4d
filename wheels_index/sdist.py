"""Source distributions on an index page: what a project has where it has no wheel.

https://packaging.python.org/en/latest/specifications/source-distribution-format/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from wheels_index._page_links import NotAnIndex, html_base, html_links, json_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.tags import Tag
    from packaging.version import Version

    from wheels_index._page_links import Link

__all__ = ["ProjectPage", "Sdist"]

_MAX_LINK_COUNT = 200_000
_MAX_URL_LENGTH = 4096
_SHA256 = re.compile(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sdist:
    """One source distribution."""

    project: str  # normalised
    version: Version
    filename: str
    url: str
    sha256: str | None  # None where the index gives none
    size: int | None  # bytes; None where the index gives none
    requires_python: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectPage:
    """The page of a project on an index, which is read once; each of its links is judged when it is asked about."""

    project: str
    url: str
    _base: str  # of its links
    _links: tuple[Link, ...]

    @classmethod
    def parse(
        cls, body: bytes | str, *, url: str, project: str, content_type: str = "text/html"
    ) -> ProjectPage:
        """Read a page. Nothing raises, whatever it holds."""
        links, base = _links(body, url, content_type)
        return cls(project=canonicalize_name(project), url=url, _base=base, _links=tuple(links))

    def sdists(self) -> tuple[Sdist, ...]:
        """Return the source distributions of the project, in the order of the page, without yanked ones.

        A link that leaves for another scheme or hides its path is left out.
        """
        found = (_sdist(link, self._base, self.url, self.project) for link in self._links)
        return tuple(sdist for sdist in found if sdist is not None)

    def uploaded_when(self, admits: Callable[[str | None], bool]) -> ProjectPage:
        """Return the page with only the links whose time of upload, where the page gives one, is admitted."""
        return replace(self, _links=tuple(link for link in self._links if admits(link.uploaded)))

    def has_wheel(self, accepts: Callable[[Version, frozenset[Tag], str | None], bool]) -> bool:
        """Return whether it has a wheel of the project whose version, tags and `Requires-Python` are accepted.

        The last link is looked at first: indexes list the newest files there.
        """
        return any(_is_accepted(link, self.project, accepts) for link in reversed(self._links))

    def has_file(self) -> bool:
        """Return whether it links any file of the project, of whatever kind, version or system, yanked ones too."""
        start = f"{self.project}-"
        return any(canonicalize_name(_filename(link)).startswith(start) for link in self._links)


def _filename(link: Link) -> str:
    return unquote(link.href.partition("#")[0].partition("?")[0].strip().rpartition("/")[2])


def _links(body: bytes | str, url: str, content_type: str) -> tuple[list[Link], str]:
    """Return the links of a page that can be read, and the URL that they are relative to."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    is_json = "json" in content_type.lower() or text[:1000].lstrip().startswith("{")
    try:
        links = (
            json_links(text, limit=_MAX_LINK_COUNT) if is_json else html_links(text, limit=_MAX_LINK_COUNT)
        )
        base = url if is_json else html_base(text, url, limit=_MAX_LINK_COUNT)
        return [link for link in islice(links, _MAX_LINK_COUNT) if link], base
    except NotAnIndex:
        return [], url


def _is_accepted(
    link: Link, project: str, accepts: Callable[[Version, frozenset[Tag], str | None], bool]
) -> bool:
    filename = _filename(link)
    if link.yanked or not filename.endswith(".whl"):
        return False
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return False
    return name == project and accepts(version, tags, link.requires_python)


def _sdist(link: Link, base: str, page_url: str, project: str) -> Sdist | None:
    place, _, fragment = link.href.strip().partition("#")
    if link.yanked or len(place) > _MAX_URL_LENGTH or _UNSAFE.search(place):
        return None
    try:
        target = urlsplit(urljoin(base, place))
        scheme = urlsplit(page_url).scheme
    except ValueError:
        return None
    filename = unquote(target.path.rpartition("/")[2])
    if target.scheme != scheme and not (scheme == "http" and target.scheme == "https"):
        return None
    if "/" in filename or "\\" in filename:
        return None
    try:
        name, version = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        return None
    if name != project:
        return None
    digest = _SHA256.search(fragment)
    sha256 = link.sha256 or (digest[1] if digest else None)
    return Sdist(
        project=name, version=version, filename=filename, url=target._replace(fragment="").geturl(),
        sha256=sha256.lower() if sha256 and re.fullmatch(r"[0-9a-fA-F]{64}", sha256) else None, size=link.size,
        requires_python=link.requires_python,
    )  # fmt: skip
