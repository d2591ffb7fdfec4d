"""Reads what is new on an index: its flat pages, by conditional requests, and the metadata of new companions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import redact_url
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.companion_metadata import declared_by
from torchdoctor.sources.index_cache import CachedIndex, cache_lock, known_index, load_cache, save_cache
from torchdoctor.sources.rollback import refuse_rollback
from torchdoctor.sources.vouching import vouches
from wheels_index import (
    TORCH_PROJECTS,
    LiveSnapshot,
    NotAnIndex,
    Overlay,
    Snapshot,
    bundled,
    parse_page,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from torchdoctor.core.net import Page
    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.sources.companion_metadata import FetchPage
    from torchdoctor.sources.index_cache import Validators
    from wheels_index import Release, UnsafeLink, Wheel

__all__ = ["NewCompanion", "NewVariant", "Unanswered", "Update", "update_index", "update_indexes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVariant:
    """A variant that a release has gained on a platform."""

    torch: str
    platform: str
    variant: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCompanion:
    """A companion version that known releases have gained."""

    project: str
    version: str
    torch: str  # what it declares of torch, such as `torch>=2.11`


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What an update brought."""

    base: str  # the URL of the index
    as_of: str  # the ISO date
    releases: tuple[str, ...]  # new torch versions
    variants: tuple[NewVariant, ...]
    companions: tuple[NewCompanion, ...]
    files: tuple[str, ...]  # names of new files
    refused: tuple[UnsafeLink, ...]
    rejected: int  # how many links were not believed
    unchanged: bool  # no page had changed since the last update
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unanswered:
    """An index that could not be read."""

    base: str
    error: TorchdoctorError


def update_indexes(
    folder: Path,
    bases: Sequence[str],
    *,
    today: str,
    read: FetchPage = fetch_page,
    accept_older: bool = False,
) -> tuple[Update | Unanswered, ...]:
    """Update from each index; one that cannot be read does not stop the others.

    Raises the error of the first where none can be read, and what `cache_lock` and `save_cache` raise.
    """
    done: list[Update | Unanswered] = []
    for base in bases:
        try:
            done.append(update_index(folder, base, today=today, read=read, accept_older=accept_older))
        except (Unreachable, NotFound) as error:
            done.append(Unanswered(base=base, error=error))
        except SourceFailed as error:
            if error.code == "busy":
                raise
            done.append(Unanswered(base=base, error=error))
    failed = [each for each in done if isinstance(each, Unanswered)]
    if len(failed) == len(done):
        raise failed[0].error
    return tuple(done)


def update_index(
    folder: Path,
    base: str,
    *,
    today: str,
    read: FetchPage = fetch_page,
    accept_older: bool = False,
) -> Update:
    """Read the flat pages of the index at `base`, store what they list and return what is new.

    `today` is an ISO date; it is never replaced by an older one. What lists only older releases than were seen there
    before is refused, unless `accept_older` says that they were taken back. Raises `Unreachable` or `NotFound` when the
    page of torch cannot be read, `SourceFailed` for a page that lists no torch wheel or only older ones, and what
    `cache_lock` and `save_cache` raise; the stored file is then unchanged.
    """
    base = base.rstrip("/")
    with cache_lock(folder):
        notes: list[str] = []
        trusted = vouches(base)
        before = known_index(folder, notes.append, unvouched=not trusted)
        stored = next((each for each in load_cache(folder) if each.base == base), None)
        pages = _Pages(base, stored, read, notes)
        for project in TORCH_PROJECTS:
            pages.fetch(project)
        if pages.unchanged and pages.stored is not None:
            after = LiveSnapshot(bundled(), replace(pages.stored.overlay, as_of=_later(today, stored, notes)))
        else:
            requires = dict(pages.stored.overlay.requires) if pages.stored else {}
            wheels = list(_of_known_releases(pages.wheels))
            if stored is not None and not accept_older:
                refuse_rollback(stored, wheels)
            new = [w for w in wheels if f"{w.project}-{w.version.public}" not in requires]
            requires |= declared_by(new, bundled(), base=base, read=read, notes=notes)
            pypi = not any(wheel.variant for wheel in wheels if wheel.project == "torch")
            after = LiveSnapshot(
                bundled(),
                Overlay.of(wheels, as_of=_later(today, stored, notes), requires=requires, pypi=pypi),
            )
        save_cache(folder, CachedIndex(base=base, pages=pages.pages, overlay=after.overlay))
    if not trusted:
        notes.append(
            message(
                "{index_url} is neither PyTorch's own index nor PyPI: what it lists is shown, its hashes are not kept, "
                "and nothing is chosen by it",
                index_url=redact_url(base),
            )
        )
    notes += _torch_on_pypi_alone(after, before)
    return _changes(base, today, before, after, pages)


def _later(today: str, stored: CachedIndex | None, notes: list[str]) -> str:
    """The date of what is stored from now on: that of a clock that was set back does not count."""
    if stored is None or stored.overlay.as_of <= today:
        return today
    notes.append(
        message(
            "the clock says {today}, and this index was read on {before}: that date stays",
            today=today,
            before=stored.overlay.as_of,
        )
    )
    return stored.overlay.as_of


def _torch_on_pypi_alone(after: LiveSnapshot, before: Snapshot) -> Iterator[str]:
    """Name the torch releases that PyPI has and no index of PyTorch has shown: their builds are not known."""
    known = before.versions()
    new = {Version(g.version.public) for g in after.overlay.groups if g.project == "torch"} - set(known)
    for version in sorted(new, reverse=True):
        if after.overlay.pypi and version > known[0]:
            yield message(
                "PyPI has torch {torch}; which builds it has is known when the index of PyTorch can be read",
                torch=version,
            )


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
        if listed.status == "quarantined":
            return self._of_quarantined(project, listed.status_reason)
        if project == "torch" and not listed.wheels:
            raise self._not_an_index(page, "it lists no torch wheel")
        self.rejected += listed.rejected_total
        if listed.truncated:
            self.notes.append(message("{url} has more links than are read", url=redact_url(page.url)))
        return listed.wheels

    def _of_quarantined(self, project: str, reason: str | None) -> tuple[Wheel, ...]:
        """Say that nothing is kept of a project; raises `SourceFailed` for torch, so that what is known stays."""
        said = message(
            "{index} has put {project} into quarantine{why}: nothing of it is taken from there",
            index=redact_url(self.base),
            project=project,
            why=f" ({sanitize_line(reason, limit=200)})" if reason else "",
        )
        if project == "torch":
            raise SourceFailed(
                said,
                fix=message("name another source with --index-url, --mirror or --find-links"),
                code="quarantined",
            )
        self.notes.append(said)
        return ()

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


def _changes(base: str, today: str, before: Snapshot, after: LiveSnapshot, pages: _Pages) -> Update:
    known = set(before.versions())
    pypi = after.overlay.pypi
    variants: list[NewVariant] = []
    companions: dict[NewCompanion, None] = {}
    files: dict[tuple[str, str | None], None] = {}
    for release in after.releases():
        old = before.release(release.version) if release.version in known else None
        files |= dict.fromkeys(_new_files(release, old, pypi=pypi))
        variants += [
            NewVariant(torch=str(release.version), platform=platform, variant=name)
            for platform, builds in release.platforms.items()
            for name in builds.variants
            if old is None or name not in old.platforms[platform].variants
        ]
        if old is not None:
            companions |= dict.fromkeys(_new_companions(release, old))
    return Update(
        base=base,
        as_of=today,
        releases=tuple(str(version) for version in after.versions() if version not in known),
        variants=tuple(variants),
        companions=tuple(companions),
        files=tuple(name for name, _ in files),
        refused=after.refused,
        rejected=pages.rejected,
        unchanged=pages.unchanged,
        notes=tuple(pages.notes),
    )


def _new_files(release: Release, old: Release | None, *, pypi: bool) -> Iterator[tuple[str, str | None]]:
    def wheels(each: Release) -> Sequence[Wheel]:
        return each.pypi_wheels if pypi else each.wheels

    seen = {(wheel.filename, wheel.variant) for wheel in wheels(old)} if old else set()
    names = ((wheel.filename, wheel.variant) for wheel in wheels(release))
    return (name for name in names if name not in seen)


def _new_companions(release: Release, old: Release) -> Iterator[NewCompanion]:
    for project, companion in release.companions.items():
        for version in companion.versions:
            if version not in old.companions[project].versions:
                yield NewCompanion(
                    project=project,
                    version=str(version),
                    torch=companion.constraint or message("any torch"),
                )
