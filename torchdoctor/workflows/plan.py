"""The plan over what the sources have: chosen, completed with what its builds need, and reported."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.net.http import http_session
from torchdoctor.resolve.new_releases import PYTORCH_LAYOUTS
from torchdoctor.resolve.select import rank
from torchdoctor.sources.freshness import old_facts_warning
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.build_rounds import plan_with_builds
from torchdoctor.workflows.found_builds import find_builds, listings_of
from torchdoctor.workflows.limits import said_of_limits
from torchdoctor.workflows.stack_facts import adapted_request
from torchdoctor.workflows.stack_pins import plan_with_pins
from torchdoctor.workflows.stack_plan import plan_stack
from torchdoctor.workflows.vouched_plan import decide_vouched, vouched_files, with_vouched_hashes
from wheels_index import bundled, variant

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.sources import Source, Sources
    from torchdoctor.workflows.found_builds import FoundBuilds
    from torchdoctor.workflows.source_builds import SourceBuilds
    from torchdoctor.workflows.stack_model import StackTask

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
    known = known_index(data, report.note) if data is not None else bundled()
    request = adapted_request(request, task, machine, known, report)
    listings = listings_of(sources, machine, report)
    vouched = vouched_files(sources, known, listings, offline=offline)

    def decide() -> tuple[Plan, FoundBuilds, tuple[Source, ...]]:
        found = find_builds(request, machine, sources, known, listings, report, offline=offline)
        return _decide(found, task, builds, request)

    plan, found, built = decide_vouched(decide, lambda decided: decided[0], vouched, report)
    plan = with_vouched_hashes(plan, vouched, listings, report)
    plan = said_of_limits(_with_age_of_facts(plan, found), sources.limits, known)
    _report_plan(plan, report)
    reachable = sources.without(listing.source.url for listing in listings if listing.failure)
    return plan, replace(reachable, find_links=(*reachable.find_links, *built))


def _decide(
    found: FoundBuilds, task: StackTask | None, builds: SourceBuilds | None, request: Request
) -> tuple[Plan, FoundBuilds, tuple[Source, ...]]:
    """Return the plan, what it was chosen from, and the folders of the wheels that were built for it."""
    built: tuple[Source, ...] = ()
    if task is not None and (task.named or task.overrides_torch):
        plan, built = _plan_of_stack(task, builds, found)
    else:
        plan = found.select(found.ranking, request)
    if plan is None:
        plan = found.cuda_fallback()
    plan = _with_accelerator_wheels(plan, found)
    plan = _with_vendor_parts(plan, found, task, builds)
    if plan.torch.wheel is not None and plan.torch.wheel.label is not None:
        from torchdoctor.workflows.variant_reasons import with_variant_reasons

        plan = with_variant_reasons(plan, found.listings, found.machine)
    return plan, found, built


def _plan_of_stack(
    task: StackTask, builds: SourceBuilds | None, found: FoundBuilds
) -> tuple[Plan | None, tuple[Source, ...]]:
    """Return the plan of torch together with all else, and the folders of the wheels that were built for it.

    Raises what `cuda_fallback` raises.
    """
    offer, request, machine, report = found.offer(), found.request, found.machine, found.report

    def rank_other(other: Request) -> Ranking:
        return rank(machine, other, found.snapshot)

    plan, built = plan_with_builds(
        task,
        builds,
        lambda each: plan_with_pins(each, found.ranking, request, machine, offer, report, rank_other),
    )
    if plan is None and task.named:
        found.cuda_fallback()  # whether PyPI's CUDA build may stand for a CPU build that no source has
        last = replace(found.ranking, candidates=found.ranking.last_resort, last_resort=())
        plan, built = plan_with_builds(
            task, builds, lambda each: plan_stack(each, last, request, machine, offer, report)
        )
    return plan, built


def _with_accelerator_wheels(plan: Plan, found: FoundBuilds) -> Plan:
    """Add what only the PyTorch index has, such as triton for ROCm, so that it comes from that index alone."""
    names = variant(plan.variant).accelerator_packages
    if not names:
        return plan
    supported = frozenset(found.tags)
    wheels = tuple(
        wheel
        for listing in [each for each in found.listings if each.name == plan.torch.source][:1]
        for name in names
        for wheel in listing.wheels(name, plan.variant)
        if not wheel.yanked and wheel.tags & supported and listing.admits(wheel)
    )
    return replace(plan, accelerator_wheels=(*plan.accelerator_wheels, *wheels))


def _with_vendor_parts(
    plan: Plan, found: FoundBuilds, task: StackTask | None, builds: SourceBuilds | None
) -> Plan:
    """Add the packages of the vendor that the builds need, and say whose builds these are."""
    if found.vendor is None and variant(plan.variant).kind != "rocm":
        return plan
    from torchdoctor.workflows.vendor_builds import said_of_vendor
    from torchdoctor.workflows.vendor_parts import with_vendor_parts

    plan = with_vendor_parts(
        plan, asked=found.vendor, listings=found.listings, machine=found.machine, tags=found.tags,
        report=found.report, builds=builds, request=task.lock_request if task is not None else None,
        offline=found.offline,
    )  # fmt: skip
    return said_of_vendor(plan, found.vendor, found.machine) if found.vendor is not None else plan


def _with_age_of_facts(plan: Plan, found: FoundBuilds) -> Plan:
    """Warn of old facts where no index that has PyTorch's builds could be read."""
    pytorch = [listing for listing in found.listings if listing.source.layout in PYTORCH_LAYOUTS]
    if any(listing.answered for listing in pytorch):
        return plan
    warning = old_facts_warning(found.snapshot, asked=bool(pytorch))
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
