"""AMD's own builds of PyTorch: which of its indexes has code for a GPU, and what to ask it for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wheels_index._data import read_json

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "AmdBuild",
    "StandIn",
    "amd_build",
    "failed_stand_in",
    "rocm_tested_with",
    "stand_in",
    "wrong_results",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class AmdBuild:
    """What AMD's index at `index_url` has: `requirements` for pip, with the extras of the GPUs asked for.

    `rocm` is the ROCm release, `torch` the newest torch that was seen there.
    """

    index_url: str
    rocm: str
    torch: str
    requirements: tuple[str, ...]
    source: str


def amd_build(platform: str, targets: Collection[str]) -> AmdBuild | None:
    """Return AMD's newest build with code for all of these targets on a platform; None where none is known.

    Targets whose results were seen to be wrong have none.

    >>> amd_build("windows_x86_64", ["gfx1151"]).requirements[0]
    'torch[device-gfx1151]==2.13.0+rocm10.0.0'
    >>> amd_build("linux_x86_64", ["gfx803"]) is None
    True
    """
    data = read_json("amd_builds.json")
    if not targets or not data["wrong_results"].keys().isdisjoint(targets):
        return None
    for row in data["indexes"]:
        if platform in row["platforms"] and set(targets) <= set(row["targets"]):
            return _build(row, sorted(targets))
    return None


def wrong_results() -> frozenset[str]:
    """Return the targets on which AMD's own builds were seen to compute wrong results."""
    return frozenset(read_json("amd_builds.json")["wrong_results"])


@dataclass(frozen=True, kw_only=True, slots=True)
class StandIn:
    """A GPU that was seen to run the code of another target: `version` is that of HSA_OVERRIDE_GFX_VERSION."""

    version: str
    target: str
    source: str


def stand_in(gfx: str) -> StandIn | None:
    """Return whose code a GPU was seen to run although no build names it; AMD supports none of these.

    >>> stand_in("gfx1032").version
    '10.3.0'
    """
    row = read_json("amd_builds.json")["stand_ins"].get(gfx)
    return StandIn(version=row["version"], target=row["target"], source=row["source"]) if row else None


def failed_stand_in(gfx: str) -> Literal["wrong", "hangs", "refused"] | None:
    """Return how a GPU was seen to fail with HSA_OVERRIDE_GFX_VERSION; None where that is not known.

    >>> failed_stand_in("gfx1103")
    'hangs'
    """
    row = read_json("amd_builds.json")["stand_ins_that_fail"].get(gfx)
    return row["how"] if row else None


def rocm_tested_with(driver: str) -> tuple[str, ...] | None:
    """Return the ROCm releases, such as `6.2`, that AMD tested an amdgpu driver package with; None: not known.

    >>> rocm_tested_with("6.7.0")[-1]
    '6.3'
    """
    rows = read_json("amd_builds.json")["drivers"]
    row = next(
        (row for row in rows if driver == row["driver"] or driver.startswith(f"{row['driver']}-")), None
    )
    return tuple(row["tested_with"]) if row is not None else None


def _build(row: dict[str, Any], targets: list[str]) -> AmdBuild:
    extras = ",".join(f"device-{target}" for target in targets)
    requirements = []
    for name, version in row["packages"].items():
        extra = f"[{extras}]" if name in row["with_extra"] else ""
        pin = f"=={version}+rocm{row['rocm']}" if version is not None else ""
        requirements.append(f"{name}{extra}{pin}")
    return AmdBuild(
        index_url=row["index_url"],
        rocm=row["rocm"],
        torch=row["packages"]["torch"],
        requirements=tuple(requirements),
        source=row["source"],
    )
