"""Whether somebody who is trusted vouches for a file that a mirror, a folder or another index lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Literal

from packaging.version import Version

from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.net import Page, Unreachable, fetch_page
from torchdoctor.core.net.http import failure_reason, with_deadline
from torchdoctor.core.urls import redact_url
from torchdoctor.sources.listing import SourceListing, local_path
from torchdoctor.sources.vouching import Speaker, may_say, speaker_of
from wheels_index import COMPANIONS, UnknownRelease, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchdoctor.sources.source import Source
    from wheels_index import Release, Snapshot

__all__ = ["Doubt", "Verdict", "VouchedFiles", "are_one_file", "ask_bounded", "known_hashes", "pypi_hashes"]

_ASK_SECONDS = (
    12.0  # for one page of the official index: a mirror is named where that one is slow or out of reach
)

Answer = Literal[
    "vouched",
    "contradicted",  # somebody trusted knows other bytes under this name
    "no-hash",  # the official index has such a file, and gives no hash for it
    "not-listed",  # the official index answered, and has no such file
    "unanswered",  # no facts of it, and whoever could vouch for it did not answer
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is known of a file: `sha256` is the vouched hash, or the one that its source gives."""

    answer: Answer
    sha256: str | None
    by: Speaker | None = None  # who vouches for it, or contradicts
    known: str | None = None  # a hash that contradicts


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A file that would have been chosen, and that nobody trusted vouches for."""

    wheel: Wheel
    source: Source
    verdict: Verdict


@dataclass(kw_only=True)
class VouchedFiles:
    """Judges files of the sources of torch, and remembers those that it did not let in.

    Facts are looked at first; the official index and PyPI are asked once a page, and not again where they did not
    answer in time. With `open_to` a file that nobody vouches for is let in from sources of these kinds.
    """

    facts: Snapshot
    official: tuple[SourceListing, ...]  # whom to ask: the official index, or those of the vendor
    pypi: SourceListing | None
    open_to: frozenset[Speaker] = frozenset()
    trusted: bool = False  # by the user's own word
    doubts: dict[tuple[str, str | None], Doubt] = field(default_factory=dict)  # by file name and hash
    _pages: dict[tuple[str, str, str], _Named] = field(default_factory=dict)
    _verdicts: dict[tuple[str | None, str, str | None, str | None], Verdict] = field(default_factory=dict)

    def admits(self, source: Source, wheel: Wheel) -> bool:
        """Return whether a file may be chosen; asked only of files that would be."""
        speaker = speaker_of(source)
        if may_say(speaker, "file", wheel.project):
            return True
        verdict = self.verdict(source, wheel)
        if verdict.answer == "vouched":
            return True
        self.doubts[wheel.filename, verdict.sha256] = Doubt(wheel=wheel, source=source, verdict=verdict)
        # A mirror has what the official index has: where that one has answered, nobody is asked about the rest.
        answer = verdict.answer
        is_wrong = answer == "contradicted" or (answer == "not-listed" and not self.trusted)
        return speaker in self.open_to and not (speaker == "mirror" and is_wrong)

    def verdict(self, source: Source, wheel: Wheel) -> Verdict:
        """Return what is known of a file that a source lists."""
        if may_say(speaker_of(source), "hash", wheel.project):
            return Verdict(answer="vouched", sha256=wheel.sha256, by=speaker_of(source))
        key = wheel.url, wheel.filename, wheel.sha256, wheel.variant
        if key not in self._verdicts:
            # Nobody is asked about what the user vouches for: a private network may have no way to them.
            asks = not (self.trusted and speaker_of(source) in ("index", "folder"))
            self._verdicts[key] = self._judge(wheel, self._who_may_know(wheel) if asks else ())
        return self._verdicts[key]

    def _judge(self, wheel: Wheel, others: Sequence[tuple[Speaker, SourceListing]]) -> Verdict:
        listed = wheel.sha256
        if listed is None and (wheel.url or "").startswith("file:"):
            listed = _local_hash(wheel.url or "")
        by_facts = known_hashes(self.facts, wheel) if wheel.label is None else frozenset()
        found = _compare(listed, by_facts, "facts")
        # A name with a build tag stands for one file; without one the official index and PyPI have different bytes.
        if found is not None and (found.answer == "vouched" or wheel.version.local is not None):
            return found
        answered = hashless = False
        for by, listing in others:
            theirs = [each for each in self._listed(by, listing, wheel) if each.label == wheel.label]
            if listing.failure:
                continue
            answered = answered or by != "pypi"
            hashes = frozenset(each.sha256 for each in theirs if each.sha256)
            hashless = hashless or bool(theirs and not hashes)
            other = _compare(listed, hashes, by)
            if other is not None and (other.answer == "vouched" or wheel.version.local is not None):
                return other
            found = found or other
        if found is not None:
            return found
        answer: Answer = "no-hash" if hashless else "not-listed" if answered else "unanswered"
        return Verdict(answer=answer, sha256=listed)

    def _listed(self, by: Speaker, listing: SourceListing, wheel: Wheel) -> Sequence[Wheel]:
        """Return the files that are meant on a page: one of many files is asked about many times."""
        key = f"{by} {listing.source.url}", wheel.project, wheel.variant or "cpu"
        if key not in self._pages:
            self._pages[key] = _named(listing.wheels(*key[1:]))
        return _of_name(self._pages[key], wheel)

    def _who_may_know(self, wheel: Wheel) -> Sequence[tuple[Speaker, SourceListing]]:
        asked: list[tuple[Speaker, SourceListing]] = [
            (speaker_of(listing.source), listing) for listing in self.official
        ]
        if self.pypi is not None and wheel.version.local is None:
            asked.append(("pypi", self.pypi))
        return asked


def _compare(listed: str | None, known: frozenset[str], by: Speaker) -> Verdict | None:
    """Return what known hashes say of a file; None where they say nothing."""
    if not known:
        return None
    if listed in known:
        return Verdict(answer="vouched", sha256=listed, by=by)
    if listed is None:
        # The source gives no hash: the bytes must be those that are known, whichever it has.
        return Verdict(answer="vouched", sha256=next(iter(known)), by=by) if len(known) == 1 else None
    return Verdict(answer="contradicted", sha256=listed, by=by, known=min(known))


def known_hashes(facts: Snapshot, wheel: Wheel) -> frozenset[str]:
    """Return the hashes that facts give of files of this name: one, but for names without a build tag.

    A name that no facts have may be another spelling of one that they have: `+CPU`, `2.13.00`, tags in another order.
    """
    named = _by_name(facts, wheel.project, Version(wheel.version.public))
    return frozenset(each.sha256 for each in _of_name(named, wheel) if each.sha256)


def pypi_hashes(facts: Snapshot, wheel: Wheel) -> frozenset[str]:
    """Return the hashes that facts give of PyPI's files of this name; none where PyPI's files are not known."""
    version = Version(wheel.version.public)
    releases = (release for release in facts.releases() if _is_of(release, wheel.project, version))
    files = [each for release in releases for each in release.pypi_wheels if each.project == wheel.project]
    found = [each for each in files if each.filename == wheel.filename]
    found = found or [each for each in files if are_one_file(each, wheel)]
    return frozenset(each.sha256 for each in found if each.sha256)


def are_one_file(one: Wheel, other: Wheel) -> bool:
    """Return whether two names mean one file to an installer: of one version, for a machine that both are for.

    >>> from wheels_index import Wheel
    >>> name = "torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"
    >>> alias = "Torch-v2.13.00+CPU-cp312-cp312-linux_x86_64.manylinux_2_28_x86_64.whl"
    >>> are_one_file(Wheel.from_filename(name), Wheel.from_filename(alias))
    True
    """
    return (
        (one.project, one.version, one.label) == (other.project, other.version, other.label)
        and one.build == other.build
        and not one.tags.isdisjoint(other.tags)
    )


_Named = dict[str | Version, list[Wheel]]  # files by their name, and by their version


def _named(wheels: Iterable[Wheel]) -> _Named:
    """Return files so that one of thousands is found at once: a page can have many names to ask about."""
    found: _Named = {}
    for wheel in wheels:
        found.setdefault(wheel.filename, []).append(wheel)
        found.setdefault(wheel.version, []).append(wheel)
    return found


def _of_name(named: _Named, wheel: Wheel) -> Sequence[Wheel]:
    """Return the files of this name, or else those that are meant by it."""
    return named.get(wheel.filename) or [
        each for each in named.get(wheel.version, ()) if are_one_file(each, wheel)
    ]


def _is_of(release: Release, project: str, version: Version) -> bool:
    if project == "torch":
        return release.version == version
    return project in COMPANIONS and version in release.companions[project].versions


@lru_cache(maxsize=256)
def _by_name(facts: Snapshot, project: str, version: Version) -> _Named:
    return _named(_files_of(facts, project, version))


def _files_of(facts: Snapshot, project: str, version: Version) -> tuple[Wheel, ...]:
    if project == "torch":
        try:
            release = facts.release(version)
        except UnknownRelease:
            return ()
        return tuple(w for w in (*release.wheels, *release.pypi_wheels) if w.project == project)
    if project in COMPANIONS:
        return tuple(
            wheel
            for release in facts.releases()
            if version in release.companions[project].versions
            for wheel in (*release.wheels, *release.pypi_wheels)
            if wheel.project == project
        )
    return facts.project(project)


@lru_cache(maxsize=256)
def _local_hash(url: str) -> str | None:
    try:
        return sha256_of(local_path(url))
    except OSError:
        return None


def ask_bounded(source: Source, *, read: Callable[[str], Page] = fetch_page) -> SourceListing:
    """Return a listing of a source that is given up where a page takes too long; nobody waits for it twice."""
    return SourceListing(source=source, read=partial(_read_in_time, read))


def _read_in_time(read: Callable[[str], Page], url: str) -> Page:
    try:
        return with_deadline(_ASK_SECONDS, lambda: read(url))
    except TimeoutError as error:
        raise Unreachable(f"{redact_url(url)}: {failure_reason(error)}", fix="") from error
