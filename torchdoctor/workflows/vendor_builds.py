"""A vendor's own builds of PyTorch: what its index has becomes the releases that are chosen among."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.core.net import NotFound, Unreachable, fetch_page
from torchdoctor.core.threads import thread_pool
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.resolve.select import rank
from torchdoctor.sources.companion_metadata import requirement_lines
from wheels_index import TORCH_PROJECTS, VendorSnapshot, vendor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from packaging.tags import Tag

    from torchdoctor.core.progress import Reporter
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Plan, Request
    from torchdoctor.resolve.model import Ranking
    from torchdoctor.sources import SourceListing
    from wheels_index import Snapshot, Vendor, Wheel

__all__ = ["gpus_of", "rank_vendor_builds", "said_of_vendor"]

_MAX_READ_COUNT = 12  # builds of torch whose metadata is read, the newest of each index first
_READ_AT_ONCE = 4
_MAX_TOLD_COUNT = 8  # versions or reasons


def rank_vendor_builds(
    name: str,
    machine: Machine,
    request: Request,
    base: Snapshot,
    listings: Sequence[SourceListing],
    tags: Sequence[Tag],
    report: Reporter,
    *,
    today: str,
) -> tuple[Ranking, Snapshot]:
    """Return the builds of the vendor's index that fit the machine, and the releases that they are of.

    What a build of torch has code for is read in its metadata. Raises `SourceFailed` where no index of the vendor
    can be read, and `NoSolution` where it has nothing for this machine, with the reason.
    """
    found = vendor(name)
    wheels, lines, unread = _wheels(found, listings, tags, request, report)
    if not lines:
        raise _nothing_listed(found, listings, machine, _other_versions(wheels, tags), unread)
    snapshot = VendorSnapshot(base, wheels, as_of=today, requires=lines, gpus=found.gpus)
    try:
        ranking = rank(machine, request, snapshot)
    except NoSolution as error:
        raise _nothing_fits(found, machine, request, snapshot) or error from error
    return replace(ranking, last_resort=()), snapshot


def gpus_of(machine: Machine) -> tuple[str, ...]:
    """Return the targets of the machine's AMD GPUs."""
    return tuple(dict.fromkeys(card.gfx for card in (machine.amd.gpus if machine.amd else ()) if card.gfx))


def said_of_vendor(plan: Plan, name: str, machine: Machine) -> Plan:
    """Return the plan with whose builds these are, and what is known to be missing there."""
    found = vendor(name)
    reasons = [message("{title}'s own builds were asked for", title=found.title)]
    warnings: list[str] = []
    if found.known_gap == "nvpl":
        warnings.append(
            message(
                "these builds need NVPL and cuDSS, which they do not declare: pip install nvpl-blas nvpl-lapack "
                "nvidia-cudss-cu13, and load them before torch"
            )
        )
    if machine.amd is not None and machine.os == "linux":
        driver = message(" ({driver} here)", driver=machine.amd.driver) if machine.amd.driver else ""
        reasons.append(
            message(
                "ROCm is in the packages, and the amdgpu driver{driver} is the machine's: AMD recommends its newest",
                driver=driver,
            )
        )
    return replace(
        plan, reasons=(*plan.reasons, *reasons), warnings=(*plan.warnings, *warnings), vendor=found.name
    )


def _wheels(
    found: Vendor,
    listings: Sequence[SourceListing],
    tags: Sequence[Tag],
    request: Request,
    report: Reporter,
) -> tuple[list[Wheel], dict[str, tuple[str, ...]], list[str]]:
    """The wheels of torch and its companions, what the newest of torch for this machine require, and why not known."""
    supported, variant = frozenset(tags), found.variant or "rocm"
    wheels: list[Wheel] = []
    wanted: list[tuple[SourceListing, Wheel]] = []
    for listing in listings:
        for project in TORCH_PROJECTS:
            wheels += [
                w for w in listing.wheels(project, variant) if w.tags & supported and listing.admits(w)
            ]
        fitting = [
            wheel
            for wheel in listing.wheels("torch", variant)
            if _is_usable(wheel, supported)
            and listing.admits(wheel)
            and (request.torch is None or request.torch.contains(wheel.version.public))
        ]
        fitting.sort(key=lambda wheel: wheel.version, reverse=True)
        wanted += [(listing, wheel) for wheel in fitting[:_MAX_READ_COUNT]]
    with thread_pool(_READ_AT_ONCE) as pool:
        read = list(pool.map(lambda pair: _lines(*pair), wanted))
    lines = {}
    unread = []
    for (_, wheel), each in zip(wanted, read, strict=True):
        if isinstance(each, tuple):
            lines[wheel.filename] = each
        else:
            unread.append(each)
            report.note(each)
    return wheels, lines, unread


def _lines(listing: SourceListing, wheel: Wheel) -> tuple[str, ...] | str:
    """What a wheel requires, or why that is unknown."""
    try:
        return requirement_lines(wheel, listing.source.url, fetch_page)
    except (NotFound, Unreachable, SourceFailed) as error:
        return message(
            "what {filename} requires is unknown: {why}", filename=wheel.filename, why=error.message
        )


def _other_versions(wheels: Sequence[Wheel], tags: Sequence[Tag]) -> list[str]:
    """The versions of torch that have a wheel for the machine, the newest first."""
    supported = frozenset(tags)
    versions = {
        wheel.version for wheel in wheels if wheel.project == "torch" and _is_usable(wheel, supported)
    }
    return list(dict.fromkeys(version.public for version in sorted(versions, reverse=True)))


def _is_usable(wheel: Wheel, supported: AbstractSet[Tag]) -> bool:
    return (
        wheel.variant is not None
        and bool(wheel.tags & supported)
        and not (wheel.yanked or wheel.version.is_prerelease)
    )


def _nothing_listed(
    found: Vendor,
    listings: Sequence[SourceListing],
    machine: Machine,
    versions: Sequence[str],
    unread: Sequence[str],
) -> NoSolution | SourceFailed:
    """Why no build can be chosen among: none can be read, none is of the release asked for, none is for the machine."""
    if unread:
        return _unreadable(
            message(
                "{title} has builds for this machine, and none can be judged: {why}",
                title=found.title,
                why=joined(unread[:_MAX_TOLD_COUNT], "; "),
            )
        )
    names = joined(listing.name for listing in listings) or message("none (--offline leaves only folders)")
    failures = [listing.failure for listing in listings if listing.failure]
    if failures or not listings:
        return _unreadable(
            message(
                "{title}'s index cannot be read: {why}",
                title=found.title,
                why=joined(failures or [names], "; "),
            )
        )
    if versions:
        return NoSolution(
            message(
                "{title} has no build of the torch that was asked for; for this machine it has torch {versions}",
                title=found.title,
                versions=joined(versions[:_MAX_TOLD_COUNT]),
            ),
            fix=message(
                "ask for one of these with --torch, or for PyTorch's own builds: --variant in place of --vendor"
            ),
            code="no-wheel",
        )
    return NoSolution(
        message(
            "{title} has no build of torch for {os} {arch} and Python {python_label}; asked: {asked}",
            title=found.title,
            os=machine.os,
            arch=machine.arch,
            python_label=machine.python_label,
            asked=names,
        ),
        fix=message(
            "ask for another release with --torch or another Python with --python, or for PyTorch's own builds: "
            "--variant in place of --vendor"
        ),
        code="no-wheel",
    )


def _unreadable(what: str) -> SourceFailed:
    return SourceFailed(
        what,
        fix=message("check the network and the proxy settings, or name a copy of it with --index-url"),
        code="no-source",
    )


def _nothing_fits(found: Vendor, machine: Machine, request: Request, snapshot: Snapshot) -> NoSolution | None:
    """Why the newest build of the vendor does not fit; None where the reason is another than the machine's GPUs."""
    from torchdoctor.resolve.evaluation import evaluate_builds

    builds = evaluate_builds(machine, request, snapshot).builds
    if not builds:
        return None
    return NoSolution(
        message(
            "{title}'s builds do not fit this machine: {reason}",
            title=found.title,
            reason=builds[0].compatibility.reason,
        ),
        fix=message("ask for PyTorch's own builds: --variant in place of --vendor"),
        code="no-vendor-build",
    )
