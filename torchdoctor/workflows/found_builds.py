"""What the sources have for a machine and a request: their listings, and the builds that fit, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.net import fetch_page
from torchdoctor.detect import supported_tags
from torchdoctor.errors import UsageError
from torchdoctor.resolve.new_releases import rank_with_newer
from torchdoctor.resolve.offer import offered_by_listing
from torchdoctor.resolve.select import rank, select_plan
from torchdoctor.sources import SourceListing
from torchdoctor.sources.vouching import may_say, speaker_of
from torchdoctor.workflows.limits import dated_facts
from torchdoctor.workflows.no_source import cuda_fallback_plan
from torchdoctor.workflows.stack_facts import wheels_of_variant
from torchdoctor.workflows.stack_plan import Offer
from wheels_index import TORCH_PROJECTS, variant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Candidate, Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.sources import Source, Sources
    from torchdoctor.sources.cutoff import Cutoff
    from wheels_index import Snapshot, Wheel

__all__ = ["FoundBuilds", "find_builds", "listings_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundBuilds:
    """What a plan is chosen from."""

    request: Request  # as it counts for what else was asked for
    machine: Machine
    vendor: str | None  # whose builds were asked for
    listings: Sequence[SourceListing]
    tags: Sequence[Tag]
    snapshot: Snapshot
    ranking: Ranking
    offline: bool
    report: Reporter
    cutoff: Cutoff | None = None  # after which nothing counts

    def select(self, ranking: Ranking, request: Request) -> Plan | None:
        """Return the plan of torch and its companions that the sources have; None where they have none."""
        return select_plan(
            ranking,
            self.listings,
            machine=self.machine,
            request=request,
            snapshot=self.snapshot,
            tags=self.tags,
        )

    def cuda_fallback(self) -> Plan:
        """Return PyPI's CUDA build for a CPU build that no source has, after consent; raises where it may not be."""
        return cuda_fallback_plan(
            self.ranking, self.listings, self.machine, self.request, self.snapshot, self.tags, self.report,
            offline=self.offline,
        )  # fmt: skip

    def offer(self) -> Offer:
        """Return what the sources have; a later one is looked at where nothing goes together with the first."""

        def builds(candidates: Sequence[Candidate]) -> Iterator[Sequence[OfferedBuild]]:
            for first in self.listings:
                others = [listing for listing in self.listings if listing is not first]
                first.wheels("torch", candidates[0].variant)  # a source that does not answer is asked once
                first.read_ahead(
                    (project, candidate.variant)
                    for candidate in candidates
                    for project in TORCH_PROJECTS
                    if project not in self.request.excluded
                )
                offered = offered_by_listing(
                    candidates,
                    [first, *others],
                    machine=self.machine,
                    request=self.request,
                    snapshot=self.snapshot,
                    tags=self.tags,
                )
                if self.vendor is not None or variant(candidates[0].variant).kind == "rocm":
                    from torchdoctor.workflows.vendor_offer import without_vendor_parts

                    offered = without_vendor_parts(offered, self.vendor, first.source.url)
                yield offered

        def wheels(project: str, name: str) -> list[Wheel]:
            if self.cutoff is not None and self.cutoff.of(project) is not None:
                return []  # PyTorch's index does not say when it got them
            return [
                wheel
                for listing in self.listings
                for wheel in wheels_of_variant(listing.wheels(project, name), name, self.tags)
                if listing.admits(wheel)
            ]

        return Offer(builds=builds, plan=self.select, wheels=wheels)


def find_builds(
    request: Request,
    machine: Machine,
    sources: Sources,
    known: Snapshot,
    listings: Sequence[SourceListing],
    report: Reporter,
    *,
    offline: bool,
) -> FoundBuilds:
    """Read the listings of the sources, and return the builds that fit the machine and the request.

    `known` are the facts so far. Raises `NoSolution` where no build fits.
    """
    tags = supported_tags(machine)
    ranking, snapshot = _rank(request, machine, sources, known, listings, tags, report, offline=offline)
    return FoundBuilds(
        request=request,
        machine=machine,
        vendor=sources.vendor,
        listings=listings,
        tags=tags,
        snapshot=snapshot,
        ranking=ranking,
        offline=offline,
        report=report,
        cutoff=sources.limits.cutoff,
    )


def _rank(
    request: Request,
    machine: Machine,
    sources: Sources,
    known: Snapshot,
    listings: Sequence[SourceListing],
    tags: Sequence[Tag],
    report: Reporter,
    *,
    offline: bool,
) -> tuple[Ranking, Snapshot]:
    """Return the builds that fit, and the facts that they are of: those known, and what the sources have besides."""
    today = datetime.now(timezone.utc).date().isoformat()
    dated = dated_facts(known, sources.limits.cutoff)
    if sources.vendor is not None:
        _refuse_cutoff_for_vendor(dated is known, sources)
        from torchdoctor.workflows.vendor_builds import rank_vendor_builds

        return rank_vendor_builds(
            sources.vendor, machine, request, known, listings, tags, report, today=today
        )
    if dated is not known:
        return rank(machine, request, dated), dated  # of what is not known the day is not known
    return rank_with_newer(
        machine,
        request,
        known,
        listings,
        today=today,
        requires=lambda listing, wheels: (
            {} if offline else _companion_requirements(listing, wheels, known, report)
        ),
    )


def _refuse_cutoff_for_vendor(is_undated: bool, sources: Sources) -> None:
    """Raise `UsageError` where only builds of a certain age count: a vendor's index does not tell their age."""
    cutoff = sources.limits.cutoff
    if is_undated or cutoff is None:
        return
    raise UsageError(
        message(
            "{origin} says that only what is older than {moment} counts, and of the builds of {vendor} it is not known "
            "when they came out",
            origin=cutoff.origin,
            moment=cutoff.shown,
            vendor=sources.vendor,
        ),
        fix=message("leave --vendor out, or give --exclude-newer false"),
        code="exclude-newer",
    )


def listings_of(sources: Sources, machine: Machine, report: Reporter) -> list[SourceListing]:
    """Return the listings of the sources of torch, in order; none of them has been read."""

    def on_unreachable(source: Source, reason: str) -> None:
        named = source.name in reason
        report.note(reason if named else message("{what}: {why}", what=source.name, why=reason))

    def judge(wheel: Wheel) -> tuple[str | None, tuple[str, ...]]:
        from torchdoctor.resolve.variant_properties import judge_properties

        return judge_properties(machine, wheel.properties)

    return [
        SourceListing(source=source, on_unreachable=on_unreachable, judge_variant=judge, note=report.note)
        for source in sources.torch
    ]


def _companion_requirements(
    listing: SourceListing, wheels: Sequence[Wheel], snapshot: Snapshot, report: Reporter
) -> dict[str, tuple[str, ...]]:
    """Read which torch the companions of an unknown release require."""
    from torchdoctor.sources.companion_metadata import declared_by

    notes: list[str] = []
    if not may_say(speaker_of(listing.source), "metadata", "torch"):
        wheels = [replace(wheel, has_metadata=False) for wheel in wheels]  # read in the wheels instead
    requirements = declared_by(wheels, snapshot, base=listing.source.url, read=fetch_page, notes=notes)
    for text in notes:
        report.detail(text)
    return requirements
