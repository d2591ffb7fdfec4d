"""Read what lists wheels: index pages, PyPI's JSON documents, lock files. Each host's digests stay its own."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheels_index import parse_page, variant_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Listing", "Seen", "read_source"]

# One store under two names: INDEX pages of the first link to the second.
OFFICIAL_HOSTS = ("download.pytorch.org", "download-r2.pytorch.org")
PYPI_HOSTS = ("files.pythonhosted.org", "pypi.org")
_FOLDER = re.compile(r"whl/((cpu|cpu-cxx11-abi|xpu|cu[0-9]{2,3}|rocm[0-9]+(\.[0-9]+){1,2})/)?", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A wheel on one host. `folder` (`whl/cu124/`) is the official index's; None for PyPI."""

    project: str
    version: Version
    filename: str
    folder: str | None
    sha256: str | None
    size: int | None
    source: str


@dataclass(kw_only=True)
class Listing:
    """What some sources listed. `pypi` has PyPI's own words of a version: requires_python, uploaded, yanked.

    `homeless` names versions without a place in the data: a torch of which no file of the official index was
    given, so that its variants are not known, and companions of which no torch is known.
    """

    wheels: list[Seen] = field(default_factory=list)
    pypi: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    requires: dict[str, list[str]] = field(default_factory=dict)
    passed_over: int = 0
    homeless: set[str] = field(default_factory=set)

    def add(self, url: str, filename: str, *, sha256: str | None, size: int | None, source: str) -> None:
        """Keep a wheel of the official index or of PyPI; count anything else as passed over."""
        place = urlsplit(url)
        folder = unquote(place.path).lstrip("/").removesuffix(filename)
        official = place.hostname in OFFICIAL_HOSTS
        try:
            project, version = parse_wheel_filename(filename)[:2]
        except (InvalidWheelFilename, InvalidVersion):
            self.passed_over += 1
            return
        known_host = place.hostname in PYPI_HOSTS or (official and _FOLDER.fullmatch(folder))
        if not known_host or version.is_prerelease or (sha256 and not _SHA256.fullmatch(sha256)):
            self.passed_over += 1
            return
        row = Seen(
            project=project, version=version, filename=filename, folder=folder if official else None,
            sha256=sha256, size=size, source=source,
        )  # fmt: skip
        self.wheels.append(row)


def read_source(source: str, into: Listing) -> None:
    """Read `URL`, `FILE=URL` (a page saved from there), a PyPI JSON document, or a lock file."""
    path, _, url = source.partition("=")
    if source.startswith(("http://", "https://")):
        from torchdoctor.core.net import fetch_page

        page = fetch_page(source)
        _document(page.body, source, page.url, page.content_type, into)
    elif url.startswith(("http://", "https://")):
        _document(Path(path).read_bytes(), url, url, "", into)
    elif source.endswith(".json"):
        _document(Path(source).read_bytes(), source, "", "application/json", into)
    else:
        _lock(Path(source), into)


def _document(body: bytes, name: str, url: str, content_type: str, into: Listing) -> None:
    data = json.loads(body) if body.lstrip().startswith(b"{") else None
    if isinstance(data, dict) and "releases" in data and "info" in data:
        _pypi_document(data, url or "https://pypi.org/pypi/", into)
        return
    page = parse_page(body, url=url, content_type=content_type or "text/html")
    into.passed_over += page.rejected_total
    for wheel in page.wheels:
        into.add(
            wheel.url or "",
            wheel.filename,
            sha256=wheel.sha256,
            size=wheel.size,
            source=f"index page: {name}",
        )


def _pypi_document(data: dict[str, Any], url: str, into: Listing) -> None:
    """Read https://docs.pypi.org/api/json/: every file of every version, and the newest one's metadata.

    A saved document without a URL is taken for PyPI's own; its links still say whose files they are.
    """
    info, project = data["info"], canonicalize_name(data["info"]["name"])
    into.requires[f"{project}-{info['version']}"] = list(info.get("requires_dist") or ())
    for version, files in data["releases"].items():
        wheels = [file for file in files if file["filename"].endswith(".whl")]
        for file in wheels:
            digest = file["digests"]["sha256"]
            into.add(
                urljoin(url, file["url"]),
                file["filename"],
                sha256=digest,
                size=file["size"],
                source="PyPI JSON API",
            )
        if wheels:
            into.pypi[project, version] = {
                "requires_python": wheels[0].get("requires_python"),
                "uploaded": min(file["upload_time_iso_8601"] for file in wheels)[:10],
                "yanked": all(file.get("yanked") for file in wheels),
            }


def _lock(path: Path, into: Listing) -> None:
    data = tomllib.loads(path.read_text("utf-8"))
    source = f"lockfile: {path.name}"
    for package in (*data.get("package", ()), *data.get("packages", ())):
        for url, filename, sha256, size in _locked(package):
            into.add(url, filename, sha256=sha256, size=size, source=source)


def _locked(package: dict[str, Any]) -> Iterator[tuple[str, str, str | None, int | None]]:
    """Yield the wheels of a package of uv.lock, pylock.toml (PEP 751) or poetry.lock."""
    for wheel in package.get("wheels", ()):
        url = wheel.get("url", "")
        digest = wheel.get("hash", "").removeprefix("sha256:") or wheel.get("hashes", {}).get("sha256")
        name = wheel.get("name") or unquote(urlsplit(url).path.rpartition("/")[2])
        yield url, name, digest or None, wheel.get("size")
    # Poetry names the index and the file, not the URL; a file without the index's variant in its version
    # may lie in whl/ as well, so its place is not known.
    index = package.get("source", {}).get("url", "").rstrip("/")
    variant = index.rpartition("/")[2]
    for file in package.get("files", ()):
        version = file["file"].split("-")[1] if file["file"].endswith(".whl") else ""
        try:
            right = variant_of(Version(version)) == variant
        except InvalidVersion:
            continue
        if right and variant:
            yield f"{index}/{file['file']}", file["file"], file["hash"].removeprefix("sha256:"), None
