"""Reads a file that was named: on a disk or by URL, of bounded size, in the encodings that people's tools write."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from torchdoctor.core.fs.regular_files import open_regular
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.requirements.refusal import refused, shown

__all__ = ["Location", "location_of", "read_text"]

_MAX_BYTES = 4 * 1024 * 1024
# `pip freeze > requirements.txt` in PowerShell 5 writes UTF-16 with a mark.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# https://peps.python.org/pep-0263/; pip reads it in the first two lines of a requirements file.
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """Where a file is: `path` on this computer, or `url`; `name` is how it is shown."""

    name: str
    path: Path | None = None
    url: str | None = None

    @property
    def key(self) -> str:
        """Return what tells it from other files."""
        return self.url or os.path.realpath(self.path or "")

    @property
    def folder(self) -> Path | None:
        """Return the folder that it is in; None for a URL."""
        return self.path.parent if self.path is not None else None


def location_of(named: str, *, inside: Location | None, folder: Path, origin: str) -> Location:
    """Return where a file is that is named in `inside`, or by an option where that is None.

    Raises `UsageError` where a file from the network names one of this computer, and for what is no place.
    """
    try:
        return _location_of(named, inside, folder, origin)
    except (ValueError, OSError, RuntimeError) as error:
        raise refused(
            origin,
            message(
                "{named!r} names no file: {why}", named=shown(named), why=sanitize_line(str(error), limit=120)
            ),
            fix=message("check the URL or the path"),
        ) from error


def _location_of(named: str, inside: Location | None, folder: Path, origin: str) -> Location:
    if "\0" in named:
        raise ValueError("embedded null byte")
    if urlsplit(named).scheme in ("http", "https"):
        return Location(name=redact_url(named), url=named)
    if inside is not None and inside.url is not None:
        joined = urljoin(inside.url, named)
        if urlsplit(joined).scheme not in ("http", "https"):
            raise refused(
                origin,
                message("a file from the network names a file of this computer: {named!r}", named=named[:80]),
                fix=message("download it, look at it, and name the copy"),
            )
        return Location(name=redact_url(joined), url=joined)
    base = inside.folder if inside is not None and inside.folder is not None else folder
    plain = named.removeprefix("file://") if named.startswith("file:///") else named
    path = Path(os.path.normpath(base / Path(plain).expanduser()))
    return Location(name=_shown(path, folder), path=path)


def read_text(location: Location, *, origin: str | None = None) -> str:
    """Return the text of the file; raises `UsageError` for what is no text, too large or not there.

    `origin` is the place that names it, where that is not an option. Raises `SourceFailed` for a URL that cannot be
    read.
    """
    content = (
        _read_path(location.path, location.name, origin)
        if location.path is not None
        else _read_url(location.url or "")
    )
    if len(content) > _MAX_BYTES:
        raise refused(
            location.name,
            message("the file is larger than 4 MiB, which no list of requirements is"),
            fix=message("check that it is the right file"),
        )
    return _decoded(content, location)


def _read_url(url: str) -> bytes:
    from torchdoctor.core.net import fetch_page

    return fetch_page(url).body


def _read_path(path: Path, name: str, origin: str | None) -> bytes:
    try:
        if not path.exists():
            raise refused(
                origin or name,
                message("there is no file {name}", name=name),
                fix=message("check its name"),
                code="no-such-file",
            )
        with open_regular(path) as file:
            return file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise refused(
            name,
            message("it cannot be read: {error}", error=error),
            fix=message("check its name and permissions"),
        ) from error


def _decoded(content: bytes, location: Location) -> str:
    encoding = "utf-8"
    for mark, marked in _MARKS:
        if content.startswith(mark):
            content, encoding = content[len(mark) :], marked
            break
    else:
        found = next((_CODING.match(line) for line in content.split(b"\n")[:2] if _CODING.match(line)), None)
        encoding = found[1].decode("ascii") if found else encoding
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise refused(
            location.name,
            message("it is not a text in {encoding}: {error}", encoding=encoding[:40], error=error),
            fix=message("save it as UTF-8"),
        ) from error


def _shown(path: Path, folder: Path) -> str:
    """Return the path as a person would write it in that folder."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
