"""Requirements that are places: a URL, a repository, a file or a folder, with or without a name before them.

pip takes these without a name, which PEP 508 wants; here the file or the repository gives the name.
https://pip.pypa.io/en/stable/reference/requirement-specifiers/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ARCHIVES", "Direct", "is_repository", "name_of_file", "split_direct"]

ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar")
_REPOSITORY = re.compile(r"(git|hg|svn|bzr)\+", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:")
_PATH = re.compile(r"\.{0,2}[/\\]|\.{1,2}(\[|\s*;|$)|~[/\\]|[A-Za-z]:[/\\]")
# A URL may hold a `;`: pip takes one before a space for the end of the URL, PEP 508 one after a space.
_MARKER_OF_URL = re.compile(r"\s;|;\s")
_MARKER_OF_PATH = re.compile(r";")
_EXTRAS = re.compile(r"^(?P<place>.*?)\s{0,8}\[(?P<extras>[A-Za-z0-9._\-, ]*)\]$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Direct:
    """A place that somebody wants installed."""

    kind: Literal["repository", "url", "path"]
    place: str
    name: str | None  # normalised; None where only the contents of the place tell it
    extras: tuple[str, ...] = ()
    marker: str | None = None

    def line(self, url: str) -> str:
        """Return it as PEP 508 has it, at `url`; it has a name."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        marker = f" ; {self.marker}" if self.marker else ""
        return f"{self.name}{extras} @ {url}{marker}"


def split_direct(text: str) -> Direct | None:
    """Return the place that a line without a name is; None for a line that begins with a name, as PEP 508 has it."""
    stripped = text.strip()
    if _REPOSITORY.match(stripped):
        place, marker = _split_marker(stripped, _MARKER_OF_URL)
        fragment = parse_qs(urlsplit(place).fragment)
        named = (fragment.get("egg") or [""])[0]
        extras = _EXTRAS.match(named)
        name = (extras["place"] if extras else named) or _repository_name(place)
        return Direct(
            kind="repository",
            place=place,
            name=_normalised(name),
            extras=_words(extras["extras"]) if extras else (),
            marker=marker,
        )
    if _URL.match(stripped):
        place, marker = _split_marker(stripped, _MARKER_OF_URL)
        place, extra_names = _split_extras(place)
        filename = unquote(PurePosixPath(urlsplit(place).path).name)
        named = (parse_qs(urlsplit(place).fragment).get("egg") or [""])[0]
        return Direct(
            kind="url",
            place=place,
            name=name_of_file(filename) or _normalised(named),
            extras=extra_names,
            marker=marker,
        )
    is_archive = _split_extras(_split_marker(stripped, _MARKER_OF_PATH)[0])[0].lower().endswith(ARCHIVES)
    if _PATH.match(stripped) or (
        is_archive and "@" not in stripped and " " not in stripped.split(";")[0].strip()
    ):
        place, marker = _split_marker(stripped, _MARKER_OF_PATH)
        place, extra_names = _split_extras(place)
        filename = place.replace("\\", "/").rpartition("/")[2]
        return Direct(
            kind="path", place=place, name=name_of_file(filename), extras=extra_names, marker=marker
        )
    return None


def is_repository(url: str) -> bool:
    """Whether a URL is of a repository, which is built from source."""
    return _REPOSITORY.match(url) is not None


def name_of_file(filename: str) -> str | None:
    """Return the normalised name that a wheel or an archive of sources is of; None for another file."""
    try:
        if filename.lower().endswith(".whl"):
            return parse_wheel_filename(filename)[0]
        if filename.lower().endswith(ARCHIVES):
            return parse_sdist_filename(filename)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return None


def _split_marker(text: str, separator: re.Pattern[str]) -> tuple[str, str | None]:
    place, *marker = separator.split(text, maxsplit=1)
    return place.strip(), "".join(marker).strip() or None


def _split_extras(place: str) -> tuple[str, tuple[str, ...]]:
    found = _EXTRAS.match(place)
    return (found["place"], _words(found["extras"])) if found else (place, ())


def _words(text: str) -> tuple[str, ...]:
    return _distinct(word.strip() for word in text.split(","))


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _repository_name(place: str) -> str:
    """The last part of the path, which is the name that most repositories have: `.../CLIP.git@main` is CLIP."""
    path = urlsplit(place).path.rstrip("/").rpartition("/")[2]
    return path.partition("@")[0].removesuffix(".git")


def _normalised(name: str) -> str | None:
    return (
        canonicalize_name(name) if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name) else None
    )
