"""For which GPUs a build holds code: its architecture list, and the rule that reads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from packaging.version import Version

from wheels_index._data import read_json, two_numbers
from wheels_index.variant import UnknownVariant, variant

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ArchList", "arch_list", "covers", "nearest_arch_list"]

Capability = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchList:
    """The CUDA code in a build: `sm` is native code, `ptx` is compiled by the driver on first use.

    `confidence` is `high`, `medium` or `low`. `rule` is None for the build's own list, else it says from
    which build the list was taken (`nearest_arch_list`). `seen_to_run` are GPUs on which people ran this very
    build although the rule of native code leaves them out.
    """

    sm: tuple[Capability, ...]
    ptx: tuple[Capability, ...]
    confidence: str
    source: str
    note: str | None = None
    rule: str | None = None
    seen_to_run: frozenset[Capability] = frozenset()


def arch_list(torch: Version, variant: str, platform: str) -> ArchList | None:
    """Return the list of a build (`linux_x86_64`, `windows_x86_64`, `linux_aarch64`), or None: not known.

    >>> arch_list(Version("2.8.0"), "cu128", "linux_x86_64").sm[0]
    (7, 0)
    """
    return _arch_lists().get((torch.public, variant, platform))


def nearest_arch_list(torch: Version, variant_name: str, platform: str) -> ArchList | None:
    """Return the build's own list, or the nearest one for a build newer than the data, with `rule` set.

    Nearest is the newest earlier torch with the same variant on the platform; without one, the newest
    earlier torch with the newest variant of the same CUDA major that is not newer than this one.
    """
    exact = arch_list(torch, variant_name, platform)
    if exact is not None:
        return exact
    candidates = [
        (variant(name).order, Version(release), name)
        for release, name, where in _arch_lists()
        if where == platform and Version(release) <= torch and _same_cuda_major(name, variant_name)
    ]
    same = [found for found in candidates if found[2] == variant_name] or candidates
    if not same:
        return None
    _, release, name = max(same)
    return replace(
        _arch_lists()[str(release), name, platform],
        rule=f"GPU code as in torch {release} {name} on {platform}",
        seen_to_run=frozenset(),
    )


def covers(
    archs: ArchList, capability: Capability, *, toolkit: tuple[int, ...] | None
) -> Literal["native", "ptx"] | None:
    """Say how a build serves a GPU: with native code, with PTX, or not at all.

    `toolkit` is the CUDA version of the build; None counts as old, so that the Jetson exclusions hold.
    For `ptx` the driver must be as new as that toolkit (`Variant.toolkit_driver`): the caller checks it.

    >>> ampere = ArchList(sm=((8, 0), (8, 6)), ptx=(), confidence="high", source="")
    >>> covers(ampere, (8, 9), toolkit=(12, 4)), covers(ampere, (8, 7), toolkit=(12, 4))
    ('native', None)
    """
    if capability in archs.seen_to_run or any(_runs_natively(code, capability, toolkit) for code in archs.sm):
        return "native"
    # compute_XY PTX runs on any device of that capability or newer.
    return "ptx" if any(code <= capability for code in archs.ptx) else None


def _runs_natively(code: Capability, device: Capability, toolkit: tuple[int, ...] | None) -> bool:
    """Apply the rule of native code: the same major, the device's minor not below, no exclusion."""
    if code[0] != device[0] or code[1] > device[1]:
        return False
    excluded, until = _exclusions()
    lifted = toolkit is not None and toolkit >= until
    return lifted or device not in excluded or code not in excluded[device]


def _same_cuda_major(one: str, other: str) -> bool:
    """Say whether two variants are of one CUDA major and the first is not the newer."""
    try:
        first, second = variant(one).toolkit, variant(other).toolkit
        kinds = variant(one).kind == variant(other).kind == "cuda"
    except UnknownVariant:
        return False
    return kinds and first is not None and second is not None and first[0] == second[0] and first <= second


@lru_cache(maxsize=1)
def _arch_lists() -> Mapping[tuple[str, str, str], ArchList]:
    """Return every list by torch version, variant and platform."""
    data = read_json("archs.json")
    lists = {
        (torch, row["variant"], platform): arch
        for row in data["lists"]
        for arch in (_arch(row),)
        for torch in row["torch"]
        for platform in row["platforms"]
    }
    for row in data["rule"]["seen_to_run"]:
        for torch in row["torch"]:
            build = torch, row["variant"], row["platform"]
            devices = lists[build].seen_to_run | {two_numbers(row["device"])}
            lists[build] = replace(lists[build], seen_to_run=devices)
    return MappingProxyType(lists)


def _arch(row: dict[str, Any]) -> ArchList:
    return ArchList(
        sm=tuple(map(two_numbers, row["sm"])),
        ptx=tuple(map(two_numbers, row["ptx"])),
        confidence=row["confidence"],
        source=row["source"],
        note=row["note"],
    )


@lru_cache(maxsize=1)
def _exclusions() -> tuple[Mapping[Capability, frozenset[Capability]], tuple[int, ...]]:
    """Return what code does not run on a device of its own major, and the toolkit that lifted it."""
    rule = read_json("archs.json")["rule"]
    excluded = {
        two_numbers(row["not_on"]): frozenset(map(two_numbers, row["code"])) for row in rule["exclusions"]
    }
    return MappingProxyType(excluded), two_numbers(rule["exclusions_end_with_cuda"])
