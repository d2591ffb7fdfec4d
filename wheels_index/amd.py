"""AMD's own builds of PyTorch: which of its indexes has code for a GPU, and what to ask it for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheels_index._data import read_json

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["AmdBuild", "amd_build"]


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
