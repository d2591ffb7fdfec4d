"""Which machines need a newer NVIDIA driver: to use their GPU at all, or to spare a family of builds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.resolve.compatibility import check_compatibility
from torchdoctor.resolve.family_cover import cover_machines
from wheels_index import newest_first, variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.version import Version

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.family_cover import FamilyCover, TorchLimits
    from torchdoctor.resolve.model import Request
    from wheels_index import Release, Snapshot

__all__ = ["DriverUpdate", "FewerFamilies", "fewer_families", "idle_gpus", "updates_for_newer_torch"]

# Newer than any driver: what a machine could run if its driver were updated.
_NEWEST_DRIVER = "99999"
# A build asks for one driver, and its code for a GPU perhaps for a newer one.
_MOST_STEPS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverUpdate:
    """The oldest driver with which a machine runs a family."""

    machine: str
    driver: str | None  # the one it has; None where none was found
    needs: str
    variant: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FewerFamilies:
    """What would be enough if some machines had newer drivers."""

    torch: Version
    variants: tuple[str, ...]
    updates: tuple[DriverUpdate, ...]


def idle_gpus(
    machines: Mapping[str, Machine], cover: FamilyCover, snapshot: Snapshot
) -> tuple[DriverUpdate, ...]:
    """Return an update for each machine whose NVIDIA GPU stays unused because of its driver."""
    updates = []
    for family in cover.families:
        if variant(family.variant).kind == "cuda":
            continue
        release = snapshot.release(family.torch)
        others = [other.variant for other in cover.families if other.torch == family.torch]
        for name in family.machines:
            machine = machines[name]
            if machine.nvidia is None:
                continue
            builds = release.platforms[machine.platform or ""].variants
            update = _least(name, machine, release, others) or _least(name, machine, release, builds)
            updates += [update] if update else []
    return tuple(updates)


def updates_for_newer_torch(
    machines: Mapping[str, Machine], cover: FamilyCover, snapshot: Snapshot
) -> tuple[DriverUpdate, ...]:
    """Return the updates with which the machines that hold torch back could have what the others could have."""
    if cover.held_back is None:
        return ()
    release = snapshot.release(cover.held_back.torch)
    found = []
    for name in cover.held_back.machines:
        builds = release.platforms.get(machines[name].platform or "")
        update = _least(name, machines[name], release, builds.variants) if builds else None
        found += [update] if update else []
    return tuple(found)


def fewer_families(
    machines: Mapping[str, Machine],
    cover: FamilyCover,
    requests: Mapping[str, Request],
    snapshot: Snapshot,
    *,
    limits: TorchLimits | None = None,
) -> FewerFamilies | None:
    """Return the smaller set that newer drivers would make enough; None where they would spare no family."""
    updated = {name: _with_driver(machine, _NEWEST_DRIVER) for name, machine in machines.items()}
    smaller = cover_machines(updated, requests, snapshot, limits=limits)
    if not smaller.shares_release or len(smaller.families) >= len(cover.families):
        return None
    updates = []
    for family in smaller.families:
        release = snapshot.release(family.torch)
        for name in family.machines:
            update = _least(name, machines[name], release, [family.variant])
            updates += [update] if update else []
    return FewerFamilies(
        torch=smaller.families[0].torch,
        variants=tuple(family.variant for family in smaller.families),
        updates=tuple(updates),
    )


def _least(name: str, machine: Machine, release: Release, builds: Iterable[str]) -> DriverUpdate | None:
    """The update to the oldest driver with which the machine runs one of the CUDA builds."""
    if machine.nvidia is None:
        return None
    found = list(_needed_drivers(machine, release, builds))
    if not found:
        return None
    needs, build = min(found, key=lambda pair: parse_numeric_version(pair[0]) or ())
    return DriverUpdate(machine=name, driver=machine.nvidia.driver, needs=needs, variant=build)


def _needed_drivers(machine: Machine, release: Release, builds: Iterable[str]) -> Iterator[tuple[str, str]]:
    for build in newest_first(builds):
        if variant(build).kind != "cuda":
            continue
        driver, updated = None, machine
        for _ in range(_MOST_STEPS):
            fits = check_compatibility(updated, release, build)
            if fits.coverage == "all":
                break
            driver = fits.needs_driver
            if driver is None:
                break
            updated = _with_driver(machine, driver)
        if driver is not None:
            yield driver, build


def _with_driver(machine: Machine, driver: str) -> Machine:
    if machine.nvidia is None or not machine.nvidia.gpus:
        return machine
    return replace(machine, nvidia=replace(machine.nvidia, driver=driver))
