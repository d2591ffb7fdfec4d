"""Reads what is new on an index: its flat pages, by conditional requests, and the metadata of new companions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit, urlunsplit

from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, Page, Unreachable, fetch_page
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.index_cache import CachedIndex, cache_lock, known_index, load_cache, save_cache
from wheels_index import TORCH_PROJECTS, LiveSnapshot, NotAnIndex, Overlay, Snapshot, bundled, parse_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from torchdoctor.sources.index_cache import Validators
    from wheels_index import UnsafeLink, Wheel

__all__ = ["FetchPage", "NewVariant", "Update", "declared_by", "update_index"]

# New companion versions of one update whose metadata is read; a release brings one or two.
_MAX_SIDECAR_COUNT = 16
_MAX_LINE_COUNT = 200


class FetchPage(Protocol):
    """Fetches a page, as `core.net.fetch_page` does."""

    def __call__(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Page:
        """Return the page; it is `unchanged` where a validator still holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVariant:
    """A variant that a release has gained on a platform."""

    torch: str
    platform: str
    variant: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What an update brought."""

    base: str  # the URL of the index
    as_of: str  # the ISO date
    releases: tuple[str, ...]  # new torch versions
    variants: tuple[NewVariant, ...]
    files: tuple[str, ...]  # names of new files
    refused: tuple[UnsafeLink, ...]
    rejected: int  # how many links were not believed
    unchanged: bool  # no page had changed since the last update
    notes: tuple[str, ...]


def update_index(folder: Path, base: str, *, today: str, read: FetchPage = fetch_page) -> Update:
    """Read the flat pages of the index at `base`, store what they list and return what is new.

    `today` is an ISO date. Raises `Unreachable` or `NotFound` when the page of torch cannot be read,
    `SourceFailed` for a page that lists no torch wheel, and what `cache_lock` and `save_cache` raise; the stored
    file is then unchanged.
    """
    base = base.rstrip("/")
    with cache_lock(folder):
        notes: list[str] = []
        before = known_index(folder, notes.append)
        stored = load_cache(folder)
        pages = _Pages(base, stored if stored is not None and stored.base == base else None, read, notes)
        for project in TORCH_PROJECTS:
            pages.fetch(project)
        if pages.unchanged and pages.stored is not None:
            after = LiveSnapshot(bundled(), replace(pages.stored.overlay, as_of=today))
        else:
            requires = dict(pages.stored.overlay.requires) if pages.stored else {}
            wheels = list(_of_known_releases(pages.wheels))
            new = [w for w in wheels if f"{w.project}-{w.version.public}" not in requires]
            requires |= declared_by(new, bundled(), base=base, read=read, notes=notes)
            after = LiveSnapshot(bundled(), Overlay.of(wheels, as_of=today, requires=requires))
        save_cache(folder, CachedIndex(base=base, pages=pages.pages, overlay=after.overlay))
    return _changes(base, today, before, after, pages)


class _Pages:
    """The pages of one update, and their wheels."""

    def __init__(self, base: str, stored: CachedIndex | None, read: FetchPage, notes: list[str]) -> None:
        self.base = base
        self.stored = stored
        self.notes = notes
        self.pages: dict[str, Validators] = {}
        self.wheels: list[Wheel] = []
        self.unchanged = True
        self.rejected = 0
        self._read = read

    def fetch(self, project: str) -> None:
        url = f"{self.base}/{project}/"
        etag, modified = self.stored.pages.get(url, (None, None)) if self.stored else (None, None)
        try:
            page = self._read(url, etag=etag, last_modified=modified)
        except NotFound as error:
            if project == "torch":
                raise
            self.notes.append(error.message)
            self.unchanged = self.unchanged and self.stored is not None and url not in self.stored.pages
            return
        self.pages[url] = (page.etag or etag, page.last_modified or modified) if page.unchanged else (
            page.etag, page.last_modified
        )  # fmt: skip
        if page.unchanged and self.stored is not None:
            self.wheels += _cached_wheels(self.stored, project)
            return
        self.unchanged = False
        self.wheels += self._listed(page, project)

    def _listed(self, page: Page, project: str) -> Sequence[Wheel]:
        try:
            listed = parse_page(page.body, url=page.url, content_type=page.content_type, project=project)
        except (NotAnIndex, ValueError) as error:
            raise self._not_an_index(page, str(error)) from error
        if project == "torch" and not listed.wheels:
            raise self._not_an_index(page, "it lists no torch wheel")
        self.rejected += listed.rejected_total
        if listed.truncated:
            self.notes.append(message("{url} has more links than are read", url=redact_url(page.url)))
        return listed.wheels

    @staticmethod
    def _not_an_index(page: Page, reason: str) -> SourceFailed:
        return SourceFailed(
            message("{url} is not a page of a wheel index: {why}", url=redact_url(page.url), why=reason),
            fix=message(
                "give the folder above torch/ with --index-url, such as https://download.pytorch.org/whl"
            ),
            code="not-an-index",
        )


def _cached_wheels(stored: CachedIndex, project: str) -> Iterator[Wheel]:
    """The stored wheels of a page that has not changed."""
    for group in stored.overlay.groups:
        if group.project == project:
            yield from group.wheels(seen=stored.overlay.as_of)


def _of_known_releases(wheels: Iterable[Wheel]) -> Iterator[Wheel]:
    """Leave out wheels that are older than every known release: the real pages go back to torch 0.3."""
    snapshot = bundled()
    oldest = snapshot.release(snapshot.versions()[-1])
    floors = {
        name: min(companion.versions) for name, companion in oldest.companions.items() if companion.versions
    }
    floors["torch"] = oldest.version
    return (
        wheel for wheel in wheels if wheel.project not in floors or wheel.version >= floors[wheel.project]
    )


def declared_by(
    wheels: Iterable[Wheel], snapshot: Snapshot, *, base: str, read: FetchPage, notes: list[str]
) -> dict[str, tuple[str, ...]]:
    """Return the `Requires-Dist` lines of companion versions that no known release has, such as `torchvision-0.31.0`.

    Each is read from the metadata file of one wheel, with `read`; `notes` receives why one could not be.
    """
    known = {
        f"{name}-{version}"
        for release in snapshot.releases()
        for name, companion in release.companions.items()
        for version in companion.versions
    }
    new: dict[str, Wheel] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.version, reverse=True):
        name = f"{wheel.project}-{wheel.version.public}"
        if wheel.project != "torch" and wheel.has_metadata and not wheel.version.is_prerelease:
            new.setdefault(name, wheel)
    unknown = [(name, wheel) for name, wheel in new.items() if name not in known]
    found = {}
    for name, wheel in unknown[:_MAX_SIDECAR_COUNT]:
        lines = _declared_requirements(wheel, base, read, notes)
        if lines is not None:
            found[name] = lines
    return found


def _declared_requirements(
    wheel: Wheel, base: str, read: FetchPage, notes: list[str]
) -> tuple[str, ...] | None:
    url = f"{wheel.url}.metadata"
    for place in dict.fromkeys((url, _on_host_of(base, url))):
        try:
            body = read(place).body
        except (NotFound, Unreachable) as error:
            why = error.message
            continue
        if wheel.metadata_sha256 in (None, hashlib.sha256(body).hexdigest()):
            head = body.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")[0].split("\n")
            lines = [
                line.removeprefix("Requires-Dist:").strip()
                for line in head
                if line.startswith("Requires-Dist:")
            ]
            return tuple(lines[:_MAX_LINE_COUNT])
        why = message("{place} is not the metadata that its page announces", place=redact_url(place))
    notes.append(
        message(
            "what {project} {public} declares of torch is unknown: {why}",
            project=wheel.project,
            public=wheel.version.public,
            why=why,
        )
    )
    return None


def _on_host_of(base: str, url: str) -> str:
    """The same path on the index's own host: download-r2.pytorch.org has answered 403 for sidecars there."""
    host = urlsplit(base)
    return urlunsplit(urlsplit(url)._replace(scheme=host.scheme, netloc=host.netloc))


def _changes(base: str, today: str, before: Snapshot, after: LiveSnapshot, pages: _Pages) -> Update:
    known = set(before.versions())
    variants: list[NewVariant] = []
    files: dict[tuple[str, str | None], None] = {}
    for release in after.releases():
        old = before.release(release.version) if release.version in known else None
        seen = {(w.filename, w.variant) for w in old.wheels} if old else set()
        files |= dict.fromkeys(
            (w.filename, w.variant) for w in release.wheels if (w.filename, w.variant) not in seen
        )
        variants += [
            NewVariant(torch=str(release.version), platform=platform, variant=name)
            for platform, builds in release.platforms.items()
            for name in builds.variants
            if old is None or name not in old.platforms[platform].variants
        ]
    return Update(
        base=base,
        as_of=today,
        releases=tuple(str(version) for version in after.versions() if version not in known),
        variants=tuple(variants),
        files=tuple(name for name, _ in files),
        refused=after.refused,
        rejected=pages.rejected,
        unchanged=pages.unchanged,
        notes=tuple(pages.notes),
    )
