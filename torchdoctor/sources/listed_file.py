"""Whether a source lists a file that uv took from one of several: uv does not say from which."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from torchdoctor.core.net import NotFound, fetch_page
from torchdoctor.errors import TorchdoctorError
from wheels_index import ProjectPage, parse_page

if TYPE_CHECKING:
    from torchdoctor.core.net import Page
    from torchdoctor.sources.source import Source
    from wheels_index import Sdist, Wheel

__all__ = ["files_on", "lists_file", "place_of"]


def lists_file(source: Source, project: str, *, url: str, sha256: str | None) -> bool | None:
    """Return whether a source of the network lists this file with this hash; None where its page cannot be read."""
    page = source.url if source.layout == "flat" else f"{source.url.rstrip('/')}/{project}/"
    try:
        listed = files_on(fetch_page(page), project)
    except NotFound:
        return False
    except (TorchdoctorError, OSError, ValueError):
        return None
    place = place_of(url)
    return any(each.sha256 == sha256 and place_of(each.url or "") == place for each in listed)


def files_on(page: Page, project: str) -> tuple[Wheel | Sdist, ...]:
    """Return the wheels and the source distributions of a project on a page; raises ValueError where it is none."""
    kind = page.content_type or "text/html"
    wheels = parse_page(page.body, url=page.url, content_type=kind, project=project).wheels
    sdists = ProjectPage.parse(page.body, url=page.url, content_type=kind, project=project).sdists()
    return (*wheels, *sdists)


def place_of(url: str) -> tuple[str, str | None, int | None, str]:
    """Return what a URL leads to, however it is escaped and with whatever credentials; raises ValueError.

    >>> place_of("https://ada:pw@x.org/torch-2%2Bcpu.whl#sha256=1") == place_of("https://x.org/torch-2+cpu.whl")
    True
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port, unquote(parts.path)
