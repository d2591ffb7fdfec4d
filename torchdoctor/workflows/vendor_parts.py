"""The packages that a build of torch needs and that only its vendor's index has: ROCm, its parts, code for a GPU.

An index of everybody's has other packages under these names, so each is found here, and uv gets exactly these files.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import joined, message, plural
from torchdoctor.core.markers import marker_holds
from torchdoctor.core.net import fetch_page
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.lock.target import marker_environment
from torchdoctor.resolve.platform_support import python_satisfies
from torchdoctor.sources.companion_metadata import requirement_lines
from torchdoctor.sources.listing import SourceListing
from torchdoctor.sources.vendors import vendor_sources
from torchdoctor.workflows.vendor_builds import gpus_of
from wheels_index import extras_of, vendor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.lock.model import LockRequest
    from torchdoctor.resolve import Plan, PlannedPackage
    from torchdoctor.workflows.source_builds import SourceBuilds
    from wheels_index import Sdist, Vendor, Wheel

__all__ = ["PartSearch", "with_vendor_parts"]

_MAX_PART_COUNT = 128  # a build with code for every GPU has about sixty
_MAX_LINE_COUNT = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class PartSearch:
    """Where parts are looked for, and what they must be for."""

    vendor: Vendor
    variant: str  # of the plan
    listings: Sequence[SourceListing]  # torch's own first
    machine: Machine
    tags: Sequence[Tag]
    report: Reporter
    builds: SourceBuilds | None  # how a part that is a source package is built; None: nothing is built
    request: LockRequest | None  # for a build
    offline: bool


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
    found = vendor(asked or "amd")
    if not found.own or (asked is None and not found.is_needed_by(plan.variant)):
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
        report=report,
        builds=builds,
        request=request,
        offline=offline,
    )
    if asked is not None:
        plan = replace(plan, packages=tuple(_with_extras(each, search) for each in plan.packages))
    return _with_parts(plan, search)


def _with_extras(package: PlannedPackage, search: PartSearch) -> PlannedPackage:
    """Return the package with the extras of the machine's GPUs that its metadata has."""
    if package.wheel is None:
        return package
    offered = frozenset(extras_of(_lines(package.wheel, search)))
    extras = tuple(each for each in search.vendor.extras_for(gpus_of(search.machine)) if each in offered)
    return replace(package, extras=extras)


def _with_parts(plan: Plan, search: PartSearch) -> Plan:
    wanted = deque(
        _Wanted(requirement=Requirement(package.requirement), wheel=package.wheel)
        for package in plan.packages
        if package.wheel is not None
    )
    parts: dict[str, Wheel] = {}
    later: list[str] = []
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
        wheel = each.wheel or parts.get(name) or _find(each, search, later)
        if wheel is None:
            continue
        if each.wheel is None:
            parts[name] = wheel
        wanted.extend(
            _Wanted(requirement=line, asker=name)
            for line in _own_requirements(wheel, each.requirement, search)
        )
    if not parts and not later:
        return plan
    places = joined(dict.fromkeys(_place(wheel, search) for wheel in parts.values()))
    if parts:
        title = search.vendor.title
        search.report.note(
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
    others = tuple(wheel for wheel in plan.accelerator_wheels if wheel.project not in parts)
    return replace(
        plan, accelerator_wheels=(*others, *parts.values()), warnings=(*plan.warnings, *dict.fromkeys(later))
    )


def _own_requirements(wheel: Wheel, asked: Requirement, search: PartSearch) -> Iterator[Requirement]:
    """Yield what a wheel with these extras requires of the vendor's own projects on this machine."""
    environment = cast("dict[str, str]", marker_environment(search.machine))
    for line in _lines(wheel, search):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue  # uv says what is wrong with it
        name = str(canonicalize_name(requirement.name))
        if not search.vendor.owns(name) or requirement.url is not None:
            continue
        if marker_holds(requirement.marker, environment, asked.extras):
            yield requirement


def _lines(wheel: Wheel, search: PartSearch) -> tuple[str, ...]:
    base = next(
        (each.source.url for each in search.listings if _lists(each, wheel, search.variant)), wheel.url or ""
    )
    return requirement_lines(wheel, base, fetch_page)[:_MAX_LINE_COUNT]


def _lists(listing: SourceListing, wheel: Wheel, variant: str) -> bool:
    return any(each.url == wheel.url for each in listing.wheels(wheel.project, variant))


def _place(wheel: Wheel, search: PartSearch) -> str:
    return next(
        (each.name for each in search.listings if _lists(each, wheel, search.variant)),
        message("a build of their sources"),
    )


def _find(wanted: _Wanted, search: PartSearch, later: list[str]) -> Wheel | None:
    """Return the file of a part for this machine; None where the installation has to build it, which `later` tells."""
    requirement = wanted.requirement
    name = str(canonicalize_name(requirement.name))
    supported = {tag: rank for rank, tag in reversed(list(enumerate(search.tags)))}
    for listing in search.listings:
        fitting = [
            (
                wheel.version,
                -min(supported[tag] for tag in wheel.tags if tag in supported),
                wheel.build,
                wheel,
            )
            for wheel in listing.wheels(name, search.variant)
            if not wheel.yanked
            and wheel.tags & supported.keys()
            and _takes(requirement, wheel.version)
            and python_satisfies(wheel.requires_python, search.machine.python.version)
        ]
        if fitting:
            return max(fitting, key=lambda row: row[:3])[3]
    for listing in search.listings:
        sdist = _newest_sdist(name, requirement, listing, search)
        if sdist is not None:
            return _build(sdist, search, later)
    raise _missing(wanted, search)


def _missing(wanted: _Wanted, search: PartSearch) -> NoSolution | SourceFailed:
    line = str(wanted.requirement).partition(";")[0].strip()
    if any(listing.failure for listing in search.listings):
        return SourceFailed(
            message("{line} cannot be had: {why}", line=line,
                    why=joined((each.failure for each in search.listings if each.failure), "; ")),
            fix=message("run the command again when that index answers"),
            code="no-source",
        )  # fmt: skip
    asked = joined(listing.name for listing in search.listings)
    if search.offline:
        return NoSolution(
            message(
                "{name} needs {line}, and no folder has it for this machine; looked in: {asked}",
                name=wanted.asker,
                line=line,
                asked=asked,
            ),
            fix=message("put its wheel into a folder that --find-links names, or leave out --offline"),
            code="vendor-part-missing",
        )
    return NoSolution(
        message(
            "{name} needs {line}, and no index of {title}'s has it for this machine; asked: {asked}",
            name=wanted.asker,
            line=line,
            title=search.vendor.title,
            asked=asked,
        ),
        fix=message("ask for another build with --variant or --torch"),
        code="vendor-part-missing",
    )


def _takes(requirement: Requirement, version: object) -> bool:
    return requirement.specifier.contains(str(version), prereleases=True)


def _newest_sdist(
    name: str, requirement: Requirement, listing: SourceListing, search: PartSearch
) -> Sdist | None:
    from torchdoctor.sources.sdists import sdists_on

    places = [page.removesuffix(f"{name}/") for page in listing.source.pages(name, search.variant)]
    found = (each for place in places for each in sdists_on(replace(listing.source, url=place), name))
    python = search.machine.python.version
    fitting = [
        each
        for each in found
        if _takes(requirement, each.version) and python_satisfies(each.requires_python, python)
    ]
    return max(fitting, key=lambda sdist: sdist.version, default=None)


def _build(sdist: Sdist, search: PartSearch, later: list[str]) -> Wheel | None:
    """Build a source package that selects the rest, by the rules for all code of others: after consent alone."""
    if search.builds is None or search.request is None or search.builds.plan_only:
        later.append(
            message(
                "{name} {version} is a source package, whose code runs in a build: install builds it with --build "
                "{name}, and tells then what it needs",
                name=sdist.project,
                version=sdist.version,
            )
        )
        return None
    from torchdoctor.workflows.vendor_sdists import build_part

    return build_part(sdist, search.builds, search.request)


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
