"""The smallest set of build families that serves several machines, and the torch releases in which it does.

A family is a variant, such as cu126. It serves a machine if it is among the builds that would be preferred there: a
GPU that some release can use is never left to a CPU build. Of the sets with the fewest families the one with the
newest torch is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.evaluation import evaluate_builds
from torchdoctor.resolve.explain import explain
from torchdoctor.resolve.family_search import covers_of_one_release, separate_cover
from torchdoctor.resolve.offline import has_companions
from torchdoctor.resolve.ranking import preferred_builds
from wheels_index import newest_first

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.family_search import Builds
    from torchdoctor.resolve.model import Request
    from wheels_index import Snapshot

__all__ = [
    "Family",
    "FamilyCover",
    "HeldBack",
    "NewerTorch",
    "TorchLimits",
    "cover_machines",
    "serving_builds",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchLimits:
    """The torch releases that the families of a project admit."""

    by_variant: Mapping[str, SpecifierSet] = field(default_factory=dict)  # of those that it has already
    others: SpecifierSet | None = None  # of new ones

    def admit(self, variant: str, torch: Version) -> bool:
        """Whether a family may have this release."""
        limit = self.by_variant.get(variant, self.others)
        return limit is None or limit.contains(torch)


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A variant, and the machines that take it."""

    variant: str
    torch: Version  # the newest release in which all families serve their machines
    oldest: Version  # the oldest of the releases without a gap below it in which they do
    too_new: (
        Version | None
    )  # the first release above that does not serve them any more; None where none is known
    machines: tuple[str, ...]  # their names


@dataclass(frozen=True, kw_only=True, slots=True)
class NewerTorch:
    """A newer release that serves all machines as well, with more families."""

    torch: Version
    variants: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldBack:
    """The machines for which no newer release has a build, and what the others could have."""

    machines: tuple[str, ...]
    newest: Version  # the newest that serves them with all others
    torch: Version  # what the others could have


@dataclass(frozen=True, kw_only=True, slots=True)
class FamilyCover:
    """Which machine takes which family."""

    families: tuple[Family, ...]  # CUDA first, the newest toolkit first
    unserved: Mapping[str, NoSolution]  # why nothing serves a machine, by its name
    shares_release: bool  # whether one torch release serves all machines; else each family has its own
    newer: NewerTorch | None = None
    held_back: HeldBack | None = None

    def family_of(self, machine: str) -> Family | None:
        """Return the family that the machine of this name takes; None where nothing serves it."""
        return next((family for family in self.families if machine in family.machines), None)


def cover_machines(
    machines: Mapping[str, Machine],
    requests: Mapping[str, Request],
    snapshot: Snapshot,
    *,
    limits: TorchLimits | None = None,
) -> FamilyCover:
    """Return the smallest set of families for the machines; each has a name and a request.

    `limits` are those of a project that has families already: it keeps them, and needs as few new ones as possible.
    The search over the variants of one release is exact up to twelve of them. If no release serves all machines,
    each family has a release of its own; that search is exact for some twenty thousand partial sets.
    """
    limits = limits or TorchLimits()
    builds, unserved = _builds_of_each(machines, requests, snapshot, limits)
    if not builds:
        return FamilyCover(families=(), unserved=unserved, shares_release=True)
    # Equal machines are one for the search.
    different = {repr(found): found for found in builds.values()}
    kept = limits.by_variant
    shared = covers_of_one_release(different, kept)
    if not shared:
        picked = separate_cover(different, kept)
        unserved |= {name: _not_together() for name, found in builds.items() if not _taken(found, picked)}
        served = {name: found for name, found in builds.items() if name not in unserved}
        return FamilyCover(
            families=_families(served, picked, snapshot), unserved=unserved, shares_release=False
        )
    newest = max(shared)
    torch = min(
        shared,
        key=lambda version: (
            len(set(shared[version]) - set(kept)),
            len(shared[version]),
            -_rank(version, shared),
        ),
    )
    return FamilyCover(
        families=_families(builds, dict.fromkeys(shared[torch], torch), snapshot),
        unserved=unserved,
        shares_release=True,
        newer=NewerTorch(torch=newest, variants=shared[newest]) if newest > torch else None,
        held_back=_held_back(builds, newest),
    )


def _builds_of_each(
    machines: Mapping[str, Machine],
    requests: Mapping[str, Request],
    snapshot: Snapshot,
    limits: TorchLimits,
) -> tuple[dict[str, Builds], dict[str, NoSolution]]:
    """Return what serves each machine, and why nothing serves the others; equal machines are looked at once."""
    known: dict[tuple[Machine, str], Builds | NoSolution] = {}
    builds: dict[str, Builds] = {}
    unserved: dict[str, NoSolution] = {}
    for name, machine in machines.items():
        key = (machine, repr(requests[name]))
        if key not in known:
            known[key] = serving_builds(machine, requests[name], snapshot, limits)
        found = known[key]
        if isinstance(found, NoSolution):
            unserved[name] = found
        else:
            builds[name] = found
    return builds, unserved


def _not_together() -> NoSolution:
    return NoSolution(
        message("it needs another torch release than the other machines, and one family has one release"),
        fix=message("give it a project of its own, or a Python that the others have too"),
    )


def _taken(found: Builds, picked: Mapping[str, Version]) -> str | None:
    """The best variant of a machine that is among the picked ones, in their releases."""
    return next(
        (name for version, names in found.items() for name in names if picked.get(name) == version), None
    )


def serving_builds(
    machine: Machine, request: Request, snapshot: Snapshot, limits: TorchLimits | None = None
) -> Builds | NoSolution:
    """Return the variants that may be chosen for a machine, by release; the error where there are none."""
    limits = limits or TorchLimits()
    evaluation = evaluate_builds(machine, request, snapshot)
    evaluation.builds = [
        build for build in evaluation.builds if limits.admit(build.name, build.release.version)
    ]
    found: dict[Version, list[str]] = {}
    for build in preferred_builds(evaluation, request):
        if request.required and not has_companions(machine, request, snapshot, build, evaluation):
            continue
        found.setdefault(build.release.version, []).append(build.name)
    if found:
        return {version: tuple(names) for version, names in found.items()}
    if limits == TorchLimits():
        return explain(machine, request, snapshot, evaluation.refusals)
    without_limits = serving_builds(machine, request, snapshot)
    return without_limits if isinstance(without_limits, NoSolution) else _not_within(limits)


def _not_within(limits: TorchLimits) -> NoSolution:
    ranges = joined(
        message("{variant} {range}", variant=variant, range=limit)
        for variant, limit in limits.by_variant.items()
    )
    return NoSolution(
        message("no torch serves it that the project's families admit: {ranges}", ranges=ranges),
        fix=message("ask for other releases with --torch"),
    )


def _held_back(builds: Mapping[str, Builds], newest: Version) -> HeldBack | None:
    """The machines that have nothing newer than `newest`, if all others together have."""
    oldest = tuple(name for name, found in builds.items() if max(found) == newest)
    others = [set(found) for name, found in builds.items() if name not in oldest]
    common = max(set.intersection(*others), default=newest) if others else newest
    return HeldBack(machines=oldest, newest=newest, torch=common) if oldest and common > newest else None


def _rank(version: Version, among: Collection[Version]) -> int:
    return sorted(among).index(version)


def _families(
    builds: Mapping[str, Builds], picked: Mapping[str, Version], snapshot: Snapshot
) -> tuple[Family, ...]:
    """The picked variants with their machines: each machine takes the best that serves it."""
    taken: dict[str, list[str]] = {variant: [] for variant in newest_first(picked)}
    for name, found in builds.items():
        variant = _taken(found, picked)
        if variant is not None:
            taken[variant].append(name)
    used = {variant: names for variant, names in taken.items() if names}
    is_shared = len(set(picked.values())) == 1
    return tuple(
        _family(variant, names, used if is_shared else {variant: names}, builds, picked[variant], snapshot)
        for variant, names in used.items()
    )


def _family(
    variant: str,
    names: Sequence[str],
    together: Mapping[str, Sequence[str]],
    builds: Mapping[str, Builds],
    torch: Version,
    snapshot: Snapshot,
) -> Family:
    """One family; its range is that of all families which go together."""

    def serves(version: Version) -> bool:
        return all(
            family in builds[name].get(version, ()) for family, served in together.items() for name in served
        )

    versions = sorted(snapshot.versions(), reverse=True)
    place = versions.index(torch)
    oldest = torch
    for version in versions[place + 1 :]:
        if not serves(version):
            break
        oldest = version
    return Family(
        variant=variant,
        torch=torch,
        oldest=oldest,
        too_new=versions[place - 1] if place else None,
        machines=tuple(names),
    )
