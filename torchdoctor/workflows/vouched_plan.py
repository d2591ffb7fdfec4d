"""The plan over files that somebody trusted vouches for; a file that nobody vouches for needs the user's own word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.sources.listing import local_path
from torchdoctor.sources.source import OFFICIAL, PYPI
from torchdoctor.sources.vouched_files import Doubt, VouchedFiles, ask_bounded, known_hashes
from torchdoctor.sources.vouching import may_say, speaker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.resolve import Plan, PlannedPackage
    from torchdoctor.sources import Source, SourceListing, Sources
    from torchdoctor.sources.vouching import Speaker
    from wheels_index import Snapshot, Wheel

__all__ = ["decide_vouched", "vouched_files", "with_vouched_hashes"]

T = TypeVar("T")

_OWN: frozenset[Speaker] = frozenset(("folder", "index"))  # places that the user has named
_ALL: frozenset[Speaker] = _OWN | {"mirror"}
_MAX_TOLD_COUNT = 3


def vouched_files(
    sources: Sources, facts: Snapshot, listings: Sequence[SourceListing], *, offline: bool
) -> VouchedFiles:
    """Return who judges the files of these listings, which ask it from now on.

    The official index is asked over the listing of it that is read anyway, but no longer than it takes another one.
    """
    official: tuple[Source, ...] = (OFFICIAL,)
    if sources.vendor is not None:
        from torchdoctor.sources.vendors import check_vendor, vendor_sources

        official = vendor_sources(check_vendor(sources.vendor))
    vouched = VouchedFiles(
        facts=facts,
        official=() if offline else tuple(map(ask_bounded, official)),
        pypi=None if offline or sources.vendor is not None else ask_bounded(PYPI),
        open_to=_ALL if sources.trusted else frozenset(),
        trusted=sources.trusted,
    )
    for listing in listings:
        listing.vouched = vouched.admits
        is_believed = may_say(speaker_of(listing.source), "metadata", "torch")
        listing.tells_metadata = is_believed or sources.trusted
    return vouched


def decide_vouched(
    decide: Callable[[], T], plan_of: Callable[[T], Plan], vouched: VouchedFiles, report: Reporter
) -> T:
    """Return what `decide` decides over files that are vouched for; the others are told, or asked for.

    A person is asked about a file of a place that they named, and about every file where nothing else fits. `--yes`
    does not answer that. Raises what `decide` raises, and `SourceFailed` where only such files would fit.
    """
    if vouched.open_to:
        return decide()
    failure: NoSolution | SourceFailed | None = None
    decided: T | None = None
    try:
        decided = decide()
    except (NoSolution, SourceFailed) as error:
        failure = error
    if vouched.doubts and (failure is not None or (report.can_ask and any(_own(vouched)))):
        other = _decide_openly(decide, vouched, _ALL if failure is not None else _OWN)
        doubts = _doubts_of(plan_of(other), vouched) if other is not None else ()
        if doubts and other is not None:
            if report.can_ask and report.ask(_question(doubts), default=False):
                return other
            if failure is not None:
                raise _not_vouched(doubts) from failure
    if failure is not None:
        raise failure
    _tell_passed_over(vouched, report)
    return decided  # type: ignore[return-value]


def _decide_openly(decide: Callable[[], T], vouched: VouchedFiles, kinds: frozenset[Speaker]) -> T | None:
    vouched.open_to = kinds
    try:
        return decide()
    except (NoSolution, SourceFailed):
        return None
    finally:
        vouched.open_to = frozenset()


def _own(vouched: VouchedFiles) -> Iterator[Doubt]:
    return (doubt for doubt in vouched.doubts.values() if speaker_of(doubt.source) in _OWN)


def _doubts_of(plan: Plan, vouched: VouchedFiles) -> tuple[Doubt, ...]:
    """The files of the plan that nobody vouches for."""
    wheels = [package.wheel for package in plan.packages if package.wheel is not None]
    places = {(wheel.filename, wheel.url) for wheel in (*wheels, *plan.accelerator_wheels)}
    return tuple(
        doubt for doubt in vouched.doubts.values() if (doubt.wheel.filename, doubt.wheel.url) in places
    )


def _question(doubts: Sequence[Doubt]) -> str:
    return message(
        "{files}. Install what nobody trusted vouches for?", files=joined(map(_told, doubts), "; ")
    )


def _told(doubt: Doubt) -> str:
    """A file with its source, its hash, and why nobody vouches for it."""
    return message(
        "{filename} from {source} with SHA-256 {sha256}: {why}",
        filename=doubt.wheel.filename,
        source=doubt.source.name,
        sha256=doubt.verdict.sha256 or message("unknown"),
        why=_why(doubt),
    )


def _why(doubt: Doubt) -> str:
    answer = doubt.verdict.answer
    if answer == "contradicted":
        return message(
            "the right file of that name has SHA-256 {known}…", known=(doubt.verdict.known or "")[:16]
        )
    if answer == "not-listed":
        return message("the official index has no such file")
    if answer == "no-hash":
        return message("the official index gives no hash for it")
    return message("no stored facts know it, and the official index could not be asked")


def _not_vouched(doubts: Sequence[Doubt]) -> SourceFailed:
    contradicted = any(doubt.verdict.answer == "contradicted" for doubt in doubts)
    return SourceFailed(
        message("nobody trusted vouches for {files}", files=joined(map(_told, doubts), "; ")),
        fix=_way_out(doubts),
        code="hash-conflict" if contradicted else "not-vouched",
    )


def _way_out(doubts: Sequence[Doubt]) -> str:
    for doubt in doubts:
        lock = local_path(doubt.source.url) / "pylock.toml" if doubt.source.local else None
        if lock is not None and lock.is_file():
            return message(
                "its folder has a lock, which says which files are right: --lock {path}; --trust-mirror takes it on "
                "your own word",
                path=quoted(str(lock)),
            )
    return message(
        "where the official index or PyPI can be reached, `torchdoctor index update` learns what is right; "
        "--trust-mirror takes it on your own word"
    )


def _tell_passed_over(vouched: VouchedFiles, report: Reporter) -> None:
    """Say which versions were passed over: one line for each version of a source."""
    told: dict[tuple[str, str, str], Doubt] = {}
    for doubt in vouched.doubts.values():
        key = doubt.wheel.project, str(doubt.wheel.version), doubt.source.name
        told.setdefault(key, doubt)
    doubts = sorted(told.values(), key=lambda doubt: (doubt.wheel.project != "torch", doubt.wheel.filename))
    for doubt in doubts[:_MAX_TOLD_COUNT]:
        report.warn(
            message(
                "{project} {version} of {source} is passed over: {why}",
                project=doubt.wheel.project,
                version=doubt.wheel.version,
                source=doubt.source.name,
                why=_why(doubt),
            )
        )
    if doubts:
        report.note(_way_out(doubts))


def with_vouched_hashes(
    plan: Plan, vouched: VouchedFiles, listings: Sequence[SourceListing], report: Reporter
) -> Plan:
    """Return the plan with the hash that each file must have, and the names of those that nobody vouches for.

    Of a place that is not trusted no metadata file is believed: what a wheel requires is then read in the wheel.
    Raises `SourceFailed` where the official index gives another hash than the facts.
    """
    by_name = {listing.name: listing.source for listing in listings}
    judge = _Judge(vouched, report)
    packages = tuple(_judged_package(package, by_name, judge) for package in plan.packages)
    wheels = tuple(
        judge.judged(wheel, source) if (source := _source_of(wheel, listings)) is not None else wheel
        for wheel in plan.accelerator_wheels
    )
    return replace(
        plan,
        packages=packages,
        accelerator_wheels=wheels,
        unread=frozenset(judge.unread),
        unvouched=tuple(judge.unvouched),
    )


def _judged_package(package: PlannedPackage, by_name: dict[str, Source], judge: _Judge) -> PlannedPackage:
    source = by_name.get(package.source or "")
    if package.wheel is None or source is None:
        return package
    return replace(package, wheel=judge.judged(package.wheel, source))


def _source_of(wheel: Wheel, listings: Sequence[SourceListing]) -> Source | None:
    return next((listing.source for listing in listings if listing.has_read(wheel)), None)


class _Judge:
    """Gives files the hashes that they must have."""

    def __init__(self, vouched: VouchedFiles, report: Reporter) -> None:
        self._vouched = vouched
        self._report = report
        self.unvouched: list[str] = []
        self.unread: set[str] = set()

    def judged(self, wheel: Wheel, source: Source) -> Wheel:
        """Return a file that a source lists with its hash; raises `SourceFailed` for one that is surely wrong."""
        if may_say(speaker_of(source), "hash", wheel.project):
            return self._of_trusted(wheel, source)
        verdict = self._vouched.verdict(source, wheel)
        if verdict.answer != "vouched":
            self.unvouched.append(wheel.filename)
            self._report.warn(
                message(
                    "{file}; it is taken on your own word",
                    file=_told(Doubt(wheel=wheel, source=source, verdict=verdict)),
                )
            )
            return replace(wheel, sha256=verdict.sha256)
        self.unread.add(wheel.filename)
        return replace(wheel, sha256=verdict.sha256, has_metadata=False, metadata_sha256=None)

    def _of_trusted(self, wheel: Wheel, source: Source) -> Wheel:
        """The official index is believed; but what the facts know of a name with a build tag stays."""
        if wheel.version.local is None or wheel.label is not None or speaker_of(source) != "official":
            return wheel
        known = known_hashes(self._vouched.facts, wheel)
        if wheel.sha256 is not None and known and wheel.sha256 not in known:
            raise SourceFailed(
                message(
                    "{source} lists {filename} with SHA-256 {found}…, and the official build has {known}…",
                    source=source.name,
                    filename=wheel.filename,
                    found=wheel.sha256[:16],
                    known=min(known)[:16],
                ),
                fix=message(
                    "nothing was installed; name another source, and report this to the operator of that one"
                ),
                code="hash-conflict",
            )
        return replace(wheel, sha256=wheel.sha256 or next(iter(known), None))
