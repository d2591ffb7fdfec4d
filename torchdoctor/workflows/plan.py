"""Read the listings of the sources and resolve a plan against them."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.net import fetch_page
from torchdoctor.core.net.http import http_session
from torchdoctor.detect import supported_tags
from torchdoctor.resolve.new_releases import PYTORCH_LAYOUTS, rank_with_newer
from torchdoctor.resolve.offer import offered_by_listing
from torchdoctor.resolve.select import rank, select_plan
from torchdoctor.sources import SourceListing
from torchdoctor.sources.freshness import old_facts_warning
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.build_rounds import plan_with_builds
from torchdoctor.workflows.no_source import cuda_fallback_plan
from torchdoctor.workflows.stack_facts import adapted_request, wheels_of_variant
from torchdoctor.workflows.stack_pins import plan_with_pins
from torchdoctor.workflows.stack_plan import Offer, plan_stack
from torchdoctor.workflows.wheel_hashes import with_known_hashes
from wheels_index import TORCH_PROJECTS, bundled, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Candidate, Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.resolve.offer import OfferedBuild
    from torchdoctor.sources import Source, Sources
    from torchdoctor.workflows.source_builds import SourceBuilds
    from torchdoctor.workflows.stack_model import StackTask
    from wheels_index import Snapshot, Wheel

__all__ = ["preload_modules", "resolve_online"]


def preload_modules() -> None:
    """Load what resolving and locking need, while the machine is detected."""
    http_session()
    for name in (
        "tomli_w",
        "uv",
        "torchdoctor.fetch.transfer.scheduler",
        "torchdoctor.workflows.extension_check",
    ):
        importlib.import_module(name)


def resolve_online(
    request: Request,
    machine: Machine,
    sources: Sources,
    *,
    offline: bool,
    report: Reporter,
    data: Path | None = None,
    task: StackTask | None = None,
    builds: SourceBuilds | None = None,
) -> tuple[Plan, Sources]:
    """Return a plan of wheels that the sources really have, and the sources without those that do not answer.

    `data` is the user's data folder, in which `index update` keeps what it read. A release that is newer than all
    known ones is read from the page of the first source that has the variant. `task` is what else was asked for, which
    then decides together with torch; `builds` makes wheels of packages that have none, whose folders are among the
    sources that are returned.
    Raises `NoSolution` where no build fits, and `SourceFailed` where a source that may have one cannot be read.
    """
    snapshot = known_index(data, report.note) if data is not None else bundled()
    listings = _listings(sources, machine, report)
    request = adapted_request(request, task, machine, snapshot, report)
    tags, today = supported_tags(machine), datetime.now(timezone.utc).date().isoformat()
    if sources.vendor is not None:
        from torchdoctor.workflows.vendor_builds import rank_vendor_builds

        ranking, snapshot = rank_vendor_builds(
            sources.vendor, machine, request, snapshot, listings, tags, report, today=today
        )
    else:
        ranking, snapshot = rank_with_newer(
            machine,
            request,
            snapshot,
            listings,
            today=today,
            requires=lambda listing, wheels: (
                {} if offline else _companion_requirements(listing, wheels, snapshot, report)
            ),
        )
    built: tuple[Source, ...] = ()

    def fallback() -> Plan:
        return cuda_fallback_plan(
            ranking, listings, machine, request, snapshot, tags, report, offline=offline
        )

    if task is not None and (task.named or task.overrides_torch):
        offer = _offer(listings, machine, request, snapshot, tags, sources.vendor)
        plan, built = _plan_of_stack(
            task, builds, offer, ranking, request, machine, snapshot, report, fallback
        )
    else:
        plan = select_plan(ranking, listings, machine=machine, request=request, snapshot=snapshot, tags=tags)
    if plan is None:
        plan = fallback()
    plan = _with_accelerator_wheels(plan, listings, tags)
    if sources.vendor is not None or variant(plan.variant).kind == "rocm":
        plan = _with_vendor_parts(
            plan, sources, listings, machine, tags, report, task, builds, offline=offline
        )
    if plan.torch.wheel is not None and plan.torch.wheel.label is not None:
        from torchdoctor.workflows.variant_reasons import with_variant_reasons

        plan = with_variant_reasons(plan, listings, machine)
    plan = with_known_hashes(plan, snapshot, sources, listings, report)
    plan = _with_age_of_facts(plan, snapshot, listings)
    _report_plan(plan, report)
    reachable = sources.without(listing.source.url for listing in listings if listing.failure)
    return plan, replace(reachable, find_links=(*reachable.find_links, *built))


def _plan_of_stack(
    task: StackTask,
    builds: SourceBuilds | None,
    offer: Offer,
    ranking: Ranking,
    request: Request,
    machine: Machine,
    snapshot: Snapshot,
    report: Reporter,
    fallback: Callable[[], Plan],
) -> tuple[Plan | None, tuple[Source, ...]]:
    """Return the plan of torch together with all else, and the folders of the wheels that were built for it.

    `fallback` asks whether PyPI's CUDA build may stand for a CPU build that no source has, and raises where it may not.
    """

    def rank_other(other: Request) -> Ranking:
        return rank(machine, other, snapshot)

    plan, built = plan_with_builds(
        task,
        builds,
        lambda each: plan_with_pins(each, ranking, request, machine, offer, report, rank_other),
    )
    if plan is None and task.named:
        fallback()
        last = replace(ranking, candidates=ranking.last_resort, last_resort=())
        plan, built = plan_with_builds(
            task, builds, lambda each: plan_stack(each, last, request, machine, offer, report)
        )
    return plan, built


def _offer(
    listings: Sequence[SourceListing],
    machine: Machine,
    request: Request,
    snapshot: Snapshot,
    tags: Sequence[Tag],
    vendor: str | None,
) -> Offer:
    """Return what the sources have; a later one is looked at where nothing goes together with the first."""

    def builds(candidates: Sequence[Candidate]) -> Iterator[Sequence[OfferedBuild]]:
        for first in listings:
            others = [listing for listing in listings if listing is not first]
            first.wheels("torch", candidates[0].variant)  # a source that does not answer is asked once
            first.read_ahead(
                (project, candidate.variant)
                for candidate in candidates
                for project in TORCH_PROJECTS
                if project not in request.excluded
            )
            offered = offered_by_listing(
                candidates, [first, *others], machine=machine, request=request, snapshot=snapshot, tags=tags
            )
            if vendor is not None or variant(candidates[0].variant).kind == "rocm":
                from torchdoctor.workflows.vendor_offer import without_vendor_parts

                offered = without_vendor_parts(offered, vendor, first.source.url)
            yield offered

    def plan(ranking: Ranking, pinned: Request) -> Plan | None:
        return select_plan(ranking, listings, machine=machine, request=pinned, snapshot=snapshot, tags=tags)

    def wheels(project: str, name: str) -> list[Wheel]:
        listed = (wheel for listing in listings for wheel in listing.wheels(project, name))
        return wheels_of_variant(listed, name, tags)

    return Offer(builds=builds, plan=plan, wheels=wheels)


def _listings(sources: Sources, machine: Machine, report: Reporter) -> list[SourceListing]:
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
    requirements = declared_by(wheels, snapshot, base=listing.source.url, read=fetch_page, notes=notes)
    for text in notes:
        report.detail(text)
    return requirements


def _with_accelerator_wheels(plan: Plan, listings: Sequence[SourceListing], tags: Sequence[Tag]) -> Plan:
    """Add what only the PyTorch index has, such as triton for ROCm, so that it comes from that index alone."""
    names = variant(plan.variant).accelerator_packages
    if not names:
        return plan
    supported = frozenset(tags)
    wheels = tuple(
        wheel
        for listing in [each for each in listings if each.name == plan.torch.source][:1]
        for name in names
        for wheel in listing.wheels(name, plan.variant)
        if not wheel.yanked and wheel.tags & supported
    )
    return replace(plan, accelerator_wheels=(*plan.accelerator_wheels, *wheels))


def _with_vendor_parts(
    plan: Plan,
    sources: Sources,
    listings: Sequence[SourceListing],
    machine: Machine,
    tags: Sequence[Tag],
    report: Reporter,
    task: StackTask | None,
    builds: SourceBuilds | None,
    *,
    offline: bool,
) -> Plan:
    """Add the packages of the vendor that the builds need, and say whose builds these are."""
    from torchdoctor.workflows.vendor_builds import said_of_vendor
    from torchdoctor.workflows.vendor_parts import with_vendor_parts

    plan = with_vendor_parts(
        plan, asked=sources.vendor, listings=listings, machine=machine, tags=tags, report=report,
        builds=builds, request=task.lock_request if task is not None else None, offline=offline,
    )  # fmt: skip
    return said_of_vendor(plan, sources.vendor, machine) if sources.vendor is not None else plan


def _with_age_of_facts(plan: Plan, snapshot: Snapshot, listings: Sequence[SourceListing]) -> Plan:
    """Warn of old facts where no index that has PyTorch's builds could be read."""
    pytorch = [listing for listing in listings if listing.source.layout in PYTORCH_LAYOUTS]
    if any(listing.answered for listing in pytorch):
        return plan
    warning = old_facts_warning(snapshot, asked=bool(pytorch))
    return plan if warning is None else replace(plan, warnings=(*plan.warnings, warning))


def _report_plan(plan: Plan, report: Reporter) -> None:
    by_source: dict[str, list[str]] = {}
    for package in plan.packages:
        by_source.setdefault(package.source or "?", []).append(f"{package.name} {package.version}")
    packages = joined(
        [
            message("{names} from {place}", names=joined(names), place=source)
            for source, names in by_source.items()
        ],
        "; ",
    )
    report.stage("resolve", message("{what}: {reasons}", what=packages, reasons=joined(plan.reasons, "; ")))
    for rejected in plan.rejected:
        report.detail(message("not {variant}: {reason}", variant=rejected.variant, reason=rejected.reason))
    for text in plan.warnings:
        report.warn(text)
    for left_out in plan.left_out:
        report.warn(left_out.message)
