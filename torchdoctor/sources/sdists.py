"""The source distributions of a project on the indexes, and one of them as a checked file."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.core.net.http import failure_reason, iter_body, open_stream
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.listing import local_path
from wheels_index import ProjectPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from packaging.tags import Tag
    from packaging.version import Version

    from torchdoctor.sources.order import Sources
    from torchdoctor.sources.source import Source
    from wheels_index import Sdist

__all__ = ["IndexFiles", "arriving", "fetch_archive", "fetch_sdist", "list_files", "sdists_on"]

_MAX_BYTES = 512 * 1024 * 1024
_WINDOW_SECONDS, _LEAST_BYTES = 60.0, 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexFiles:
    """What the indexes have of a project."""

    sdists: tuple[Sdist, ...]  # of the first index that has any file; of all where none comes before another
    _pages: tuple[tuple[str, ProjectPage], ...]  # and the names of their indexes

    def indexes_with_wheel(
        self, accepts: Callable[[Version, frozenset[Tag], str | None], bool]
    ) -> tuple[str, ...]:
        """Return the names of the indexes that have a wheel whose version, tags and `Requires-Python` are accepted."""
        return tuple(name for name, page in self._pages if page.has_wheel(accepts))


def list_files(project: str, sources: Sources) -> IndexFiles:
    """Return the source distributions that an index with priority leaves, and what wheels there are.

    The first index that has the project at all is the one whose code may run, also where all that it has is a wheel for
    another system: whoever can put a file of that name onto a later index runs nothing here, unless the user had the
    indexes asked alike. Files that were uploaded too late for the limits of the sources are passed over.
    Raises `Unreachable` where an index cannot be read before one had the project.
    """
    sdists: tuple[Sdist, ...] = ()
    is_found = False
    pages = []
    cutoff = sources.limits.cutoff
    for index in [*sources.indexes, *([sources.default_index] if sources.default_index else [])]:
        try:
            page = _page(index, project)
        except Unreachable:
            if not is_found:
                raise
            continue
        has_file = page.has_file()
        if cutoff is not None:
            page = page.uploaded_when(partial(cutoff.admits, project))
        if (sources.alike or not is_found) and sources.limits.builds(project):
            sdists += page.sdists()
        is_found = is_found or has_file
        pages.append((index.name, page))
    return IndexFiles(sdists=sdists, _pages=tuple(pages))


def sdists_on(index: Source, project: str) -> tuple[Sdist, ...]:
    """Return the source distributions of one index; raises `Unreachable` where it cannot be read."""
    return _page(index, project).sdists()


def _page(index: Source, project: str) -> ProjectPage:
    """Return an index's page of a project; an empty one where it has none."""
    url = f"{index.url.rstrip('/')}/{project}/"
    if index.local:
        path = local_path(url) / "index.html"
        body = read_regular(path, limit=_MAX_BYTES) if path.exists() else b""
        return ProjectPage.parse(body, url=f"{url}index.html", project=project)
    try:
        page = fetch_page(url)
    except NotFound:
        return ProjectPage.parse(b"", url=url, project=project)
    return ProjectPage.parse(
        page.body, url=page.url, project=project, content_type=page.content_type or "text/html"
    )


def fetch_sdist(sdist: Sdist, folder: Path) -> Path:
    """Return the file in `folder`, downloaded where it is not there yet, with the hash that the index gives.

    Raises `SourceFailed` where the index gives no hash, and for other bytes.
    """
    if sdist.sha256 is None:
        raise SourceFailed(
            message("the index gives no hash of {filename}, so it is not built", filename=sdist.filename),
            fix=message("build a wheel of it yourself and name its folder with --find-links"),
            code="no-hash",
        )
    path = folder / sdist.sha256 / sdist.filename
    if path.is_file() and sha256_of(path) == sdist.sha256:
        return path
    content = _content(sdist)
    if hashlib.sha256(content).hexdigest() != sdist.sha256:
        raise SourceFailed(
            message("{filename} has other bytes than the hash that the index gives", filename=sdist.filename),
            fix=message("name another source with --index-url, --mirror or --find-links"),
            code="hash-mismatch",
        )
    make_own_folder(path.parent, below=folder)
    atomic_write(path, content)
    return path


def fetch_archive(url: str, folder: Path) -> Path:
    """Return the file at a URL that somebody asked for, in a folder by its content; raises `SourceFailed`."""
    content = _read(url, _MAX_BYTES)
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", unquote(urlsplit(url).path).rpartition("/")[2])[-120:].lstrip(".")
    path = folder / hashlib.sha256(content).hexdigest() / (name or "sources.tar.gz")
    make_own_folder(path.parent, below=folder)
    atomic_write(path, content)
    return path


def _content(sdist: Sdist) -> bytes:
    if sdist.url.startswith("file:"):
        return read_regular(local_path(sdist.url), limit=_MAX_BYTES)
    return _read(sdist.url, min(_MAX_BYTES, sdist.size or _MAX_BYTES))


def arriving(chunks: Iterable[bytes], clock: Callable[[], float] = time.monotonic) -> Iterator[bytes]:
    """Yield what arrives; raises TimeoutError where almost nothing came in a minute, however often a byte does."""
    began, count = clock(), 0
    for chunk in chunks:
        yield chunk
        count += len(chunk)
        if clock() - began >= _WINDOW_SECONDS:
            if count < _LEAST_BYTES:
                raise TimeoutError(
                    message("almost nothing arrived in {seconds:.0f} s", seconds=_WINDOW_SECONDS)
                )
            began, count = clock(), 0


def _read(url: str, max_bytes: int) -> bytes:
    import requests

    body = bytearray()
    try:
        with open_stream(url) as answer:
            answer.raise_for_status()
            for chunk in arriving(iter_body(answer)):
                body += chunk
                if len(body) > max_bytes:
                    name = urlsplit(url).path.rpartition("/")[2]
                    raise SourceFailed(
                        message("{filename} is larger than its index says", filename=name),
                        fix=message("name another source with --index-url, --mirror or --find-links"),
                        code="bad-sdist",
                    )
    except (requests.RequestException, OSError, ValueError) as error:
        raise SourceFailed(
            message("{url} cannot be read: {why}", url=redact_url(url), why=failure_reason(error)),
            fix=message("check the network and the proxy settings, or name another source with --index-url"),
            code="unreachable",
        ) from error
    return bytes(body)
