"""Asks an index what is new: its flat pages, with conditional requests, and what new companions declare."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit, urlunsplit

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.net.http import NotFound, Page, Unreachable, fetch_page
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.index_cache import Stored, known_index, load, locked, save
from wheels_index import TORCH_PROJECTS, LiveSnapshot, NotAnIndex, Overlay, Snapshot, bundled, parse_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from torchdoctor.sources.index_cache import Validators
    from wheels_index import UnsafeLink, Wheel

__all__ = ["NewVariant", "Read", "Update", "declared_by", "update"]

# New companion versions of one update whose metadata is read; a release brings one or two.
_MAX_SIDECARS = 16
_MAX_LINES = 200


class Read(Protocol):
    """How a page is fetched: `net.get_page`."""

    def __call__(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Page:
        """The page, or that it is unchanged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVariant:
    """A variant that a release has gained on a platform."""

    torch: str
    platform: str
    variant: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What an update brought. `unchanged` says that no page had changed since the last one."""

    base: str
    as_of: str
    releases: tuple[str, ...]
    variants: tuple[NewVariant, ...]
    files: tuple[str, ...]
    refused: tuple[UnsafeLink, ...]
    rejected: int
    unchanged: bool
    notes: tuple[str, ...]


def update(folder: Path, base: str, *, today: str, read: Read = fetch_page) -> Update:
    """Read the flat pages of the index at `base` and store what they list.

    Raises `Unreachable` or `NotFound` when a page that must be there cannot be had, and `SourceFailed` for a
    page without a torch wheel; what was stored before is then as it was.
    """
    base = base.rstrip("/")
    with locked(folder):
        notes: list[str] = []
        before = known_index(folder, notes.append)
        stored = load(folder)
        asked = _Asked(base, stored if stored is not None and stored.base == base else None, read, notes)
        for project in TORCH_PROJECTS:
            asked.ask(project)
        if asked.unchanged and asked.stored is not None:
            kept = asked.stored.overlay
            after = LiveSnapshot(bundled(), Overlay(as_of=today, groups=kept.groups, requires=kept.requires))
        else:
            requires = dict(asked.stored.overlay.requires) if asked.stored else {}
            wheels = list(_worth_keeping(asked.wheels))
            new = [w for w in wheels if f"{w.project}-{w.version.public}" not in requires]
            requires |= declared_by(new, bundled(), base=base, read=read, notes=notes)
            after = LiveSnapshot(bundled(), Overlay.of(wheels, as_of=today, requires=requires))
        save(folder, Stored(base=base, pages=asked.pages, overlay=after.overlay))
    return _compared(base, today, before, after, asked)


class _Asked:
    """The pages of one update as they come in."""

    def __init__(self, base: str, stored: Stored | None, read: Read, notes: list[str]) -> None:
        self.base = base
        self.stored = stored
        self.notes = notes
        self.pages: dict[str, Validators] = {}
        self.wheels: list[Wheel] = []
        self.unchanged = True
        self.rejected = 0
        self._read = read

    def ask(self, project: str) -> None:
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
            self.wheels += _again(self.stored, project)
            return
        self.unchanged = False
        self.wheels += self._listed(page, project)

    def _listed(self, page: Page, project: str) -> Sequence[Wheel]:
        try:
            listed = parse_page(page.body, url=page.url, content_type=page.content_type, project=project)
        except (NotAnIndex, ValueError) as error:
            raise self._no_index(page, str(error)) from error
        if project == "torch" and not listed.wheels:
            raise self._no_index(page, "it lists no torch wheel")
        self.rejected += listed.rejected_total
        if listed.truncated:
            self.notes.append(message("{url} has more links than are read", url=redact_url(page.url)))
        return listed.wheels

    @staticmethod
    def _no_index(page: Page, why: str) -> SourceFailed:
        return SourceFailed(
            message("{url} is not a page of a wheel index: {why}", url=redact_url(page.url), why=why),
            fix=message(
                "give the folder above torch/ with --index-url, such as https://download.pytorch.org/whl"
            ),
            code="not-an-index",
        )


def _again(stored: Stored, project: str) -> Iterator[Wheel]:
    """The wheels of a page that has not changed."""
    for group in stored.overlay.groups:
        if group.project == project:
            yield from group.wheels(seen=stored.overlay.as_of)


def _worth_keeping(wheels: Iterable[Wheel]) -> Iterator[Wheel]:
    """Leave out what is older than every release known: the real pages go back to torch 0.3."""
    snapshot = bundled()
    oldest = snapshot.release(snapshot.versions()[-1])
    floors = {name: min(row.versions) for name, row in oldest.companions.items() if row.versions}
    floors["torch"] = oldest.version
    return (
        wheel for wheel in wheels if wheel.project not in floors or wheel.version >= floors[wheel.project]
    )


def declared_by(
    wheels: Iterable[Wheel], snapshot: Snapshot, *, base: str, read: Read, notes: list[str]
) -> dict[str, tuple[str, ...]]:
    """The `Requires-Dist` lines of companion versions that no known release has, from one sidecar each."""
    known = {
        f"{name}-{version}"
        for release in snapshot.releases()
        for name, row in release.companions.items()
        for version in row.versions
    }
    new: dict[str, Wheel] = {}
    for wheel in sorted(wheels, key=lambda row: row.version, reverse=True):
        name = f"{wheel.project}-{wheel.version.public}"
        if wheel.project != "torch" and wheel.has_metadata and not wheel.version.is_prerelease:
            new.setdefault(name, wheel)
    unknown = [(name, wheel) for name, wheel in new.items() if name not in known]
    found = {}
    for name, wheel in unknown[:_MAX_SIDECARS]:
        lines = _requires(wheel, base, read, notes)
        if lines is not None:
            found[name] = lines
    return found


def _requires(wheel: Wheel, base: str, read: Read, notes: list[str]) -> tuple[str, ...] | None:
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
                row.removeprefix("Requires-Dist:").strip() for row in head if row.startswith("Requires-Dist:")
            ]
            return tuple(lines[:_MAX_LINES])
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


def _compared(base: str, today: str, before: Snapshot, after: LiveSnapshot, asked: _Asked) -> Update:
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
        rejected=asked.rejected,
        unchanged=asked.unchanged,
        notes=tuple(asked.notes),
    )
