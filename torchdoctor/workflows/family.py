"""Which hold an environment needs: the newest releases of its family of builds, and where they can be had."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.version import Version

from torchdoctor.core.system.programs import find_program
from torchdoctor.core.urls import strip_credentials
from torchdoctor.detect import supported_tags
from torchdoctor.install.hold.model import Hold
from torchdoctor.sources import OFFICIAL, SourceListing
from torchdoctor.sources.vouching import may_say, speaker_of
from wheels_index import COMPANIONS, TORCH_PROJECTS, bundled, variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.tags import Tag

    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine
    from torchdoctor.sources import Source
    from wheels_index import Snapshot, Wheel

__all__ = ["hold_for", "hold_of_lock", "pypi_has_only"]

_RECENT_RELEASES = 4
_UV_SECONDS = 20.0
# The values that `uv pip install --help` shows for --torch-backend.
_BACKENDS = re.compile(r"possible values: (auto,[^\]]*)\]")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def pypi_has_only(family: str, machine: Machine, snapshot: Snapshot) -> bool:
    """Say whether PyPI has no other builds for this kind of machine than the family's: nothing need be held then."""
    if machine.os == "macos":
        return True
    defaults = {
        builds.pypi_default
        for release in itertools.islice(snapshot.releases(), _RECENT_RELEASES)
        if (builds := release.platforms.get(machine.platform or "")) is not None
    }
    return defaults == {family}


def hold_for(
    family: str,
    installed: Mapping[str, str],
    machine: Machine,
    sources: Iterable[Source],
    system: System,
    *,
    trusted: bool = False,
) -> Hold:
    """Return the hold for an environment with these versions of torch and its companions, by name.

    The first source that lists the family and may be written down is where pip and uv will find it; without one, the
    hold keeps what is installed from being replaced by something newer. A source that may introduce no release, unless
    it is `trusted`, allows only versions that are known: pip would take whatever it lists.
    """
    tags = frozenset(supported_tags(machine))
    for source in sources:
        may_introduce = trusted or may_say(speaker_of(source), "release", "torch")
        place = _Place(source, family, tags, None if may_introduce else _known_versions())
        if place.newest:
            caps = {name: _newer(version, place.newest.get(name)) for name, version in installed.items()}
            caps = place.newest | caps
            backend = _uv_backend(family, system) if source == OFFICIAL else None
            return Hold(
                variant=family,
                caps=_in_order(caps),
                pip_lines=place.pip_lines,
                uv_lines=() if backend else place.uv_lines,
                uv_backend=backend,
            )
    return Hold(variant=family, caps=_in_order(installed))


def hold_of_lock(
    family: str,
    installed: Mapping[str, str],
    machine: Machine,
    torch_url: str,
    snapshot: Snapshot,
    system: System,
) -> Hold:
    """Return the hold for what a lock names, from known releases alone: a lock is installed without asking an index."""
    if not torch_url.startswith(f"{OFFICIAL.url}/"):
        return Hold(variant=family, caps=_in_order(installed))
    newest = _newest_known(family, machine, snapshot)
    caps = newest | {name: _newer(version, newest.get(name)) for name, version in installed.items()}
    index = OFFICIAL.index_url(family)
    backend = _uv_backend(family, system)
    pages = () if backend else tuple(f"--find-links {index}/{name}/" for name in TORCH_PROJECTS)
    return Hold(
        variant=family,
        caps=_in_order(caps),
        pip_lines=(f"--extra-index-url {index}",),
        uv_lines=pages,
        uv_backend=backend,
    )


def _newest_known(family: str, machine: Machine, snapshot: Snapshot) -> dict[str, str]:
    for release in snapshot.releases():
        builds = release.platforms.get(machine.platform or "")
        if builds is not None and family in builds.variants and not release.yanked:
            versions = {name: each.versions for name, each in release.companions.items()}
            newest = {name: str(versions[name][0]) for name in COMPANIONS if versions.get(name)}
            return {"torch": str(release.version), **newest}
    return {}


def _known_versions() -> frozenset[tuple[str, str]]:
    """The versions of torch and its companions that the stored facts have."""
    releases = list(bundled().releases())
    companions = (
        (name, version.public)
        for release in releases
        for name, each in release.companions.items()
        for version in each.versions
    )
    return frozenset((*(("torch", release.version.public) for release in releases), *companions))


class _Place:
    """What one source has of a family; nothing where it may not be written down."""

    def __init__(
        self, source: Source, family: str, tags: frozenset[Tag], known: frozenset[tuple[str, str]] | None
    ) -> None:
        self.newest: dict[str, str] = {}
        self.pip_lines: tuple[str, ...] = ()
        self.uv_lines: tuple[str, ...] = ()
        if not _may_be_written(source.url):
            return
        listing = SourceListing(source=source)
        pages: list[str] = []
        for name in (*TORCH_PROJECTS, *variant(family).accelerator_packages):
            page, wheels = listing.found(name, family)
            versions = [
                wheel.version
                for wheel in wheels
                if _belongs(wheel, family, tags)
                and (known is None or (wheel.project, wheel.version.public) in known)
            ]
            if page is not None and (versions or name not in TORCH_PROJECTS):
                pages.append(page)
            if versions and name in TORCH_PROJECTS:
                self.newest[name] = max(versions).public
            if name == "torch" and not versions:
                return
        links = tuple(dict.fromkeys(f"--find-links {page}" for page in pages))
        # A folder may be gone later: pip passes over it then, and uv does not.
        self.uv_lines = () if source.local else links
        flat = source.layout in ("flat", "flat-variants") or source.local
        self.pip_lines = (
            links if flat else (f"--extra-index-url {pages[0].removesuffix('torch/').rstrip('/')}",)
        )


def _belongs(wheel: Wheel, family: str, tags: frozenset[Tag]) -> bool:
    """Only a version that names its build is newer for pip than the same version from PyPI."""
    return (
        wheel.variant == family
        and wheel.version.local is not None
        and not wheel.yanked
        and not wheel.version.is_prerelease
        and not wheel.tags.isdisjoint(tags)
    )


def _may_be_written(url: str) -> bool:
    """Whether a URL holds no secret, and pip would ask it: it passes over http on other machines."""
    parts = urlsplit(url)
    trusted = parts.scheme in ("https", "file") or parts.hostname in _LOOPBACK
    return trusted and strip_credentials(url) == url and re.search(r"\s", url) is None


def _in_order(caps: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, Version(caps[name]).public) for name in TORCH_PROJECTS if name in caps)


def _newer(version: str, other: str | None) -> str:
    return version if other is None else str(max(Version(version), Version(other)))


def _uv_backend(family: str, system: System) -> str | None:
    """Return the family as uv's torch backend, if the uv of this user knows it: another value makes uv fail."""
    program = find_program("uv", system.environ) or _own_uv()
    if program is None:
        return None
    text = system.run([program, "pip", "install", "--help"], timeout=_UV_SECONDS).stdout
    match = _BACKENDS.search(re.sub(r"\s+", " ", text))
    return family if match and family in match[1].split(", ") else None


def _own_uv() -> str | None:
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        return None
