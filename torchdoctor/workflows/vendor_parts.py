"""The packages that a build of torch needs and that only its vendor's index has: ROCm, its parts, code for a GPU.

An index of everybody's has other packages under these names, so each is found here, and uv gets exactly these files.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message, plural
from torchdoctor.errors import NoSolution
from torchdoctor.sources.listing import SourceListing
from torchdoctor.sources.vendors import vendor_needed_by, vendor_sources
from torchdoctor.workflows.part_search import PartSearch
from torchdoctor.workflows.vendor_builds import gpus_of
from wheels_index import extras_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.resolve import Plan, PlannedPackage
    from torchdoctor.workflows.source_builds import SourceBuilds
    from wheels_index import Wheel

__all__ = ["with_vendor_parts"]

_MAX_PART_COUNT = 128  # a build with code for every GPU has about sixty


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """One requirement on a part, or a package of the plan whose own requirements are followed."""

    requirement: Requirement
    wheel: Wheel | None = None  # known for a package of the plan
    asker: str = ""  # the name of the package that requires it


def with_vendor_parts(
    plan: Plan,
    *,
    asked: str | None,
    listings: Sequence[SourceListing],
    machine: Machine,
    tags: Sequence[Tag],
    report: Reporter,
    builds: SourceBuilds | None,
    request: LockRequest | None,
    offline: bool,
) -> Plan:
    """Return the plan with the vendor's packages that its builds need; unchanged where they need none.

    `asked` is the vendor whose builds were asked for: of these the extras of the machine's GPUs are taken. PyTorch's
    own ROCm builds need AMD's packages too, which come from the index that has torch, or else from AMD's, or `offline`
    from the folders that were named.
    Raises `NoSolution` where a part is nowhere, or is a source package that nobody agreed to build.
    """
    found = vendor_needed_by(plan.variant, asked)
    if found is None:
        return plan
    first = [listing for listing in listings if listing.name == plan.torch.source][:1]
    others = [listing for listing in listings if listing not in first]
    known = [*first, *(each for each in others if asked is not None or (offline and each.source.local))]
    if asked is None and not offline:
        known += [SourceListing(source=source) for source in vendor_sources(found)]
    search = PartSearch(
        vendor=found,
        variant=plan.variant,
        listings=known,
        machine=machine,
        tags=tags,
        builds=builds,
        request=request,
        offline=offline,
    )
    if asked is not None:
        plan = replace(plan, packages=tuple(_with_extras(each, search) for each in plan.packages))
    return _with_parts(plan, search, report)


def _with_extras(package: PlannedPackage, search: PartSearch) -> PlannedPackage:
    """Return the package with the extras of the machine's GPUs that its metadata has."""
    if package.wheel is None:
        return package
    offered = frozenset(extras_of(search.lines(package.wheel)))
    extras = tuple(each for each in search.vendor.extras_for(gpus_of(search.machine)) if each in offered)
    return replace(package, extras=extras)


def _with_parts(plan: Plan, search: PartSearch, report: Reporter) -> Plan:
    """Follow what the packages of the plan require of the vendor's own, and what these require."""
    wanted = deque(
        _Wanted(requirement=Requirement(package.requirement), wheel=package.wheel)
        for package in plan.packages
        if package.wheel is not None
    )
    parts: dict[str, Wheel] = {}
    followed: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        each = wanted.popleft()
        name = str(canonicalize_name(each.requirement.name))
        key = name, frozenset(each.requirement.extras)
        if key in followed:
            continue
        followed.add(key)
        if len(followed) > _MAX_PART_COUNT:
            raise _too_many(plan, search)
        wheel = each.wheel or parts.get(name) or search.find(each.requirement, each.asker)
        if wheel is None:
            continue
        if each.wheel is None:
            parts[name] = wheel
        wanted.extend(
            _Wanted(requirement=line, asker=name)
            for line in search.own_requirements(wheel, each.requirement.extras)
        )
    if not parts and not search.later:
        return plan
    _report_parts(parts.values(), search, report)
    others = tuple(wheel for wheel in plan.accelerator_wheels if wheel.project not in parts)
    return replace(
        plan,
        accelerator_wheels=(*others, *parts.values()),
        warnings=(*plan.warnings, *dict.fromkeys(search.later)),
    )


def _report_parts(parts: Collection[Wheel], search: PartSearch, report: Reporter) -> None:
    if not parts:
        return
    title, places = search.vendor.title, joined(dict.fromkeys(map(search.place, parts)))
    report.note(
        plural(
            len(parts),
            message("1 package of {title}'s comes from {places}", title=title, places=places),
            message(
                "{count} packages of {title}'s come from {places}",
                count=len(parts),
                title=title,
                places=places,
            ),
        )
    )


def _too_many(plan: Plan, search: PartSearch) -> NoSolution:
    return NoSolution(
        message(
            "torch {version} of {title}'s needs more than {count} packages",
            version=plan.torch.version,
            title=search.vendor.title,
            count=_MAX_PART_COUNT,
        ),
        fix=message("ask for another release with --torch"),
        code="vendor-part-missing",
    )
