"""The search for the smallest set of variants: of one torch release, or each with a release of its own.

Machines stand here for the variants that serve them, by release. `kept` are variants that a project has already: of
two sets the one with fewer new variants is smaller, whatever their sizes.
"""

from __future__ import annotations

from itertools import combinations, count
from typing import TYPE_CHECKING

from wheels_index import newest_first

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from packaging.version import Version

__all__ = ["Builds", "covers_of_one_release", "separate_cover"]

# The variants that serve a machine, by release, the best first.
Builds = dict["Version", tuple[str, ...]]

# Variants of one release: there are eight at most today. Above it the search takes the best variant step by step.
_EXACT_VARIANT_COUNT = 12
# Partial sets that the search over several releases looks at; above it the same.
_EXACT_STEP_COUNT = 20_000


def covers_of_one_release(
    builds: Mapping[str, Builds], kept: Collection[str]
) -> dict[Version, tuple[str, ...]]:
    """Return the smallest set of variants for each release that serves every machine."""
    releases = set.intersection(*(set(found) for found in builds.values()))
    return {
        version: _smallest({found[version] for found in builds.values()}, kept)
        for version in sorted(releases, reverse=True)
    }


def _smallest(choices: Collection[tuple[str, ...]], kept: Collection[str]) -> tuple[str, ...]:
    """The smallest set with one variant of each choice; of equal ones that with the choices that stand first."""
    variants = newest_first({name for choice in choices for name in choice})
    if len(variants) > _EXACT_VARIANT_COUNT:
        return _step_by_step(choices)
    fitting = (
        picked
        for size in range(1, len(variants) + 1)
        for picked in combinations(variants, size)
        if all(not set(picked).isdisjoint(choice) for choice in choices)
    )
    return min(
        fitting, key=lambda picked: (len(set(picked) - set(kept)), len(picked), _distance(picked, choices))
    )


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


def separate_cover(builds: Mapping[str, Builds], kept: Collection[str]) -> dict[str, Version]:
    """Return a set of variants with a release each, the smallest unless the search grows too large.

    One variant can have one release only, so that a machine may be left without any: it is not served then.
    """
    variants = {name for found in builds.values() for names in found.values() for name in names}
    steps = count()
    for size in range(1, min(len(builds), len(variants)) + 1):
        picked = next(_pick({}, builds, size, kept, steps), None)
        if picked is not None:
            return picked
        if next(steps) > _EXACT_STEP_COUNT:
            break
    return _separate_step_by_step(builds)


def _pick(
    picked: dict[str, Version],
    left: Mapping[str, Builds],
    size: int,
    kept: Collection[str],
    steps: Iterator[int],
) -> Iterator[dict[str, Version]]:
    """Yield each way to serve the machines that are left with `size` more variants, the newest torch first."""
    if not left:
        yield picked
        return
    if not size or next(steps) > _EXACT_STEP_COUNT:
        return
    hardest = min(left.values(), key=lambda found: sum(map(len, found.values())))
    options = [(variant, version) for version in hardest for variant in hardest[version]]
    options.sort(key=lambda option: option[1], reverse=True)
    options.sort(key=lambda option: option[0] not in kept)
    tried: dict[str, set[frozenset[str]]] = {}
    for variant, version in options:
        if variant in picked:
            continue
        served = _served(left, variant, version)
        # A newer release of the variant that serves the same machines, or more, was tried already.
        if any(served <= before for before in tried.setdefault(variant, set())):
            continue
        tried[variant].add(served)
        others = {name: found for name, found in left.items() if name not in served}
        yield from _pick({**picked, variant: version}, others, size - 1, kept, steps)


def _separate_step_by_step(builds: Mapping[str, Builds]) -> dict[str, Version]:
    """Always the variant and release that serve the most of those that are left."""
    left, picked = dict(builds), dict[str, "Version"]()
    while True:
        options = {
            (variant, version)
            for found in left.values()
            for version, variants in found.items()
            for variant in variants
            if variant not in picked
        }
        if not options:
            return picked
        variant, version = max(
            options, key=lambda option: (len(_served(left, *option)), option[1], option[0])
        )
        picked[variant] = version
        left = {name: found for name, found in left.items() if variant not in found.get(version, ())}


def _served(builds: Mapping[str, Builds], variant: str, version: Version) -> frozenset[str]:
    return frozenset(name for name, found in builds.items() if variant in found.get(version, ()))
