"""The source distributions of a project on the indexes, and one of them as a checked file."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, fetch_page
from torchdoctor.core.net.http import failure_reason, iter_body, open_stream
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.listing import local_path
from wheels_index import parse_sdists

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.sources.order import Sources
    from torchdoctor.sources.source import Source
    from wheels_index import Sdist

__all__ = ["fetch_archive", "fetch_sdist", "list_sdists", "sdists_on"]

_MAX_BYTES = 512 * 1024 * 1024


def list_sdists(project: str, sources: Sources) -> tuple[Sdist, ...]:
    """Return the source distributions of the first index that has any; raises `Unreachable` where it cannot be read."""
    indexes = [*sources.indexes, *([sources.default_index] if sources.default_index else [])]
    return next((found for index in indexes if (found := sdists_on(index, project))), ())


def sdists_on(index: Source, project: str) -> tuple[Sdist, ...]:
    """Return the source distributions of one index; raises `Unreachable` where it cannot be read."""
    url = f"{index.url.rstrip('/')}/{project}/"
    if index.local:
        path = local_path(url) / "index.html"
        return (
            parse_sdists(path.read_bytes(), url=f"{url}index.html", project=project) if path.is_file() else ()
        )
    try:
        page = fetch_page(url)
    except NotFound:
        return ()
    return parse_sdists(page.body, url=page.url, project=project, content_type=page.content_type)


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
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sdist.sha256:
        return path
    content = _content(sdist)
    if hashlib.sha256(content).hexdigest() != sdist.sha256:
        raise SourceFailed(
            message("{filename} has other bytes than the hash that the index gives", filename=sdist.filename),
            fix=message("name another source with --index-url, --mirror or --find-links"),
            code="hash-mismatch",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content)
    return path


def fetch_archive(url: str, folder: Path) -> Path:
    """Return the file at a URL that somebody asked for, in a folder by its content; raises `SourceFailed`."""
    content = _read(url, _MAX_BYTES)
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", unquote(urlsplit(url).path).rpartition("/")[2])[-120:].lstrip(".")
    path = folder / hashlib.sha256(content).hexdigest() / (name or "sources.tar.gz")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content)
    return path


def _content(sdist: Sdist) -> bytes:
    if sdist.url.startswith("file:"):
        return local_path(sdist.url).read_bytes()
    return _read(sdist.url, min(_MAX_BYTES, sdist.size or _MAX_BYTES))


def _read(url: str, max_bytes: int) -> bytes:
    import requests

    body = bytearray()
    try:
        with open_stream(url) as answer:
            answer.raise_for_status()
            for chunk in iter_body(answer):
                body += chunk
                if len(body) > max_bytes:
                    name = urlsplit(url).path.rpartition("/")[2]
                    raise SourceFailed(
                        message("{filename} is larger than its index says", filename=name),
                        fix=message("name another source with --index-url, --mirror or --find-links"),
                        code="bad-sdist",
                    )
    except (requests.RequestException, OSError) as error:
        raise SourceFailed(
            message("{url} cannot be read: {why}", url=redact_url(url), why=failure_reason(error)),
            fix=message("check the network and the proxy settings, or name another source with --index-url"),
            code="unreachable",
        ) from error
    return bytes(body)
