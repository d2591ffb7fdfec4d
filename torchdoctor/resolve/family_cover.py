"""The smallest set of build families that serves several machines, and the torch releases in which it does.

A family is a variant, such as cu126. It serves a machine if it is among the builds that would be preferred there: a
GPU that some release can use is never left to a CPU build. Of the sets with the fewest families the one with the
newest torch is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from torchdoctor.errors import NoSolution
from torchdoctor.resolve.evaluation import evaluate_builds
from torchdoctor.resolve.explain import explain
from torchdoctor.resolve.offline import has_companions
from torchdoctor.resolve.ranking import preferred_builds
from wheels_index import newest_first

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.version import Version

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Request
    from wheels_index import Snapshot

__all__ = ["Family", "FamilyCover", "HeldBack", "NewerTorch", "cover_machines", "serving_builds"]

# Variants of one release: there are eight at most today. Above it the search takes the best variant step by step.
_EXACT_VARIANT_COUNT = 12

# The variants that serve a machine, by release, the best first.
Builds = dict["Version", tuple[str, ...]]


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
    machines: Mapping[str, Machine], requests: Mapping[str, Request], snapshot: Snapshot
) -> FamilyCover:
    """Return the smallest set of families for the machines; each has a name and a request.

    The search over the variants of one release is exact up to twelve of them. If no release serves all machines,
    each family has a release of its own, and the set is the smallest of that kind.
    """
    known: dict[tuple[Machine, str], Builds | NoSolution] = {}
    builds: dict[str, Builds] = {}
    unserved: dict[str, NoSolution] = {}
    for name, machine in machines.items():
        key = (machine, repr(requests[name]))
        if key not in known:
            known[key] = serving_builds(machine, requests[name], snapshot)
        found = known[key]
        if isinstance(found, NoSolution):
            unserved[name] = found
        else:
            builds[name] = found
    if not builds:
        return FamilyCover(families=(), unserved=unserved, shares_release=True)
    shared = _covers_of_one_release(builds)
    if not shared:
        return FamilyCover(
            families=_separate_families(builds, snapshot), unserved=unserved, shares_release=False
        )
    torch = min(shared, key=lambda version: (len(shared[version]), -_rank(version, shared)))
    newest = max(shared)
    return FamilyCover(
        families=_families(builds, dict.fromkeys(shared[torch], torch), snapshot),
        unserved=unserved,
        shares_release=True,
        newer=NewerTorch(torch=newest, variants=shared[newest]) if newest > torch else None,
        held_back=_held_back(builds, newest),
    )


def serving_builds(machine: Machine, request: Request, snapshot: Snapshot) -> Builds | NoSolution:
    """Return the variants that may be chosen for a machine, by release; the error where there are none."""
    evaluation = evaluate_builds(machine, request, snapshot)
    found: dict[Version, list[str]] = {}
    for build in preferred_builds(evaluation, request):
        if request.required and not has_companions(machine, request, snapshot, build, evaluation):
            continue
        found.setdefault(build.release.version, []).append(build.name)
    if found:
        return {version: tuple(names) for version, names in found.items()}
    return explain(machine, request, snapshot, evaluation.refusals)


def _held_back(builds: Mapping[str, Builds], newest: Version) -> HeldBack | None:
    """The machines that have nothing newer than `newest`, if all others together have."""
    oldest = tuple(name for name, found in builds.items() if max(found) == newest)
    others = [set(found) for name, found in builds.items() if name not in oldest]
    common = max(set.intersection(*others), default=newest) if others else newest
    return HeldBack(machines=oldest, newest=newest, torch=common) if oldest and common > newest else None


def _rank(version: Version, among: Collection[Version]) -> int:
    return sorted(among).index(version)


def _covers_of_one_release(builds: Mapping[str, Builds]) -> dict[Version, tuple[str, ...]]:
    """The smallest set of variants for each release that serves every machine."""
    releases = set.intersection(*(set(found) for found in builds.values()))
    return {
        version: _smallest({found[version] for found in builds.values()})
        for version in sorted(releases, reverse=True)
    }


def _smallest(choices: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The smallest set with one variant of each choice; of equal ones that with the choices that stand first."""
    variants = newest_first({name for choice in choices for name in choice})
    if len(variants) > _EXACT_VARIANT_COUNT:
        return _step_by_step(choices)
    for size in range(1, len(variants) + 1):
        fitting = [
            picked
            for picked in combinations(variants, size)
            if all(not set(picked).isdisjoint(choice) for choice in choices)
        ]
        if fitting:
            return min(fitting, key=lambda picked: _distance(picked, choices))
    raise AssertionError  # every choice has a variant


def _distance(picked: Collection[str], choices: Collection[tuple[str, ...]]) -> int:
    """How far down in the choices the picked variants stand."""
    return sum(next(place for place, name in enumerate(choice) if name in picked) for choice in choices)


def _step_by_step(choices: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """A small set: always the variant that serves the most of those that are left."""
    left, picked = list(choices), []
    while left:
        names = newest_first({name for choice in left for name in choice})
        best = max(names, key=lambda name: sum(name in choice for choice in left))
        picked.append(best)
        left = [choice for choice in left if best not in choice]
    return newest_first(picked)


def _separate_families(builds: Mapping[str, Builds], snapshot: Snapshot) -> tuple[Family, ...]:
    """The smallest set of families with a release each."""
    for size in range(1, len(builds) + 1):
        picked = next(_pick({}, builds, size), None)
        if picked is not None:
            return _families(builds, picked, snapshot)
    raise AssertionError  # one family a machine serves all, unless two need one variant of two releases


def _pick(picked: dict[str, Version], left: Mapping[str, Builds], size: int) -> Iterator[dict[str, Version]]:
    """Yield each way to serve the machines that are left with `size` more families, the newest torch first."""
    if not left:
        yield picked
        return
    if not size:
        return
    hardest = min(left.values(), key=lambda found: sum(map(len, found.values())))
    tried: dict[str, set[frozenset[str]]] = {}
    for version in sorted(hardest, reverse=True):
        for variant in hardest[version]:
            if variant in picked:
                continue
            served = frozenset(name for name, found in left.items() if variant in found.get(version, ()))
            # A newer release of the variant that serves the same machines, or more, was tried already.
            if any(served <= before for before in tried.setdefault(variant, set())):
                continue
            tried[variant].add(served)
            others = {name: found for name, found in left.items() if name not in served}
            yield from _pick({**picked, variant: version}, others, size - 1)


def _families(
    builds: Mapping[str, Builds], picked: Mapping[str, Version], snapshot: Snapshot
) -> tuple[Family, ...]:
    """The picked variants with their machines: each machine takes the best that serves it."""
    taken: dict[str, list[str]] = {variant: [] for variant in newest_first(picked)}
    for name, found in builds.items():
        variant = next(
            variant
            for version, variants in found.items()
            for variant in variants
            if picked.get(variant) == version
        )
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
