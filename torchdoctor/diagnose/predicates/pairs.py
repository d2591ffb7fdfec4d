"""Whether a companion's version and build belong to the installed torch."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version, version_of
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = [
    "companion_build_differs",
    "companion_for_another_torch",
    "cpu_torchvision_with_cuda_torch",
    "torchcodec_for_another_torch",
]

_FIRST_PAIR = 4
# Before 0.3 torchvision was Python alone, for any torch: https://github.com/pytorch/vision/releases/tag/v0.3.0
_FIRST_COMPILED = (0, 3)


def _belonging(project: str, torch: Version) -> set[tuple[int, ...]]:
    """The companion's minor versions that go with a torch; empty where none is known, or none is declared.

    torch 1.N went with torchvision 0.(N+1) and torchaudio 0.N, from 1.4 on:
    https://github.com/pytorch/vision#installation, https://github.com/pytorch/audio/releases
    """
    from wheels_index import UnknownRelease, bundled

    if torch.major == 1:
        return {(0, torch.minor + (project == "torchvision"))} if torch.minor >= _FIRST_PAIR else set()
    try:
        companion = bundled().release(Version(torch.public)).companions.get(project)
    except UnknownRelease:
        return set()
    if companion is None or (project == "torchaudio" and companion.constraint is None):
        return set()
    return {version.release[:2] for version in companion.versions}


def companion_for_another_torch(evidence: Evidence, *, project: str) -> Match | None:
    """The version of the companion belongs to another torch."""
    torch = torch_version(evidence)
    companions = evidence.observations(f"package.{project}") or evidence.observations(f"mention.{project}")
    companion = version_of(companions[0].value) if companions else None
    if torch is None or companion is None or "dev" in str(torch) or evidence.first("torch.removed"):
        return None
    if project == "torchvision" and companion.release[:2] < _FIRST_COMPILED:
        return None
    fits = _belonging(project, torch)
    if not fits or companion.release[:2] in fits:
        return None
    shown = (*evidence.observations("torch.version")[:1], *companions[:1])
    return Match(evidence=tuple(source(observation) for observation in shown))


def companion_build_differs(evidence: Evidence, *, project: str) -> Match | None:
    """torch and the companion both have a local version, and the two differ."""
    torch, companion = torch_version(evidence), version_of(evidence.first(f"package.{project}"))
    if (
        torch is None
        or companion is None
        or not torch.local
        or not companion.local
        or _family(torch.local) == _family(companion.local)
        or torch.is_prerelease  # built from source: each has its own commit there
    ):
        return None
    return _both(evidence, project)


def _family(local: str) -> str:
    """Return the build of a local version: cu124 of cu124torch251 and of cu124.post3."""
    match = re.match(r"cu\d{2,3}|rocm[\d.]+|cpu|xpu", local)
    return match[0] if match else local


def cpu_torchvision_with_cuda_torch(evidence: Evidence) -> Match | None:
    """torch is a CUDA build and torchvision is tagged cpu."""
    torch, vision = torch_version(evidence), version_of(evidence.first("package.torchvision"))
    if torch is None or vision is None or vision.local != "cpu" or not (torch.local or "").startswith("cu"):
        return None
    return _both(evidence, "torchvision")


def _both(evidence: Evidence, project: str) -> Match:
    torch, companion = (
        evidence.observations("torch.version")[0],
        evidence.observations(f"package.{project}")[0],
    )
    return Match(evidence=(source(torch), source(companion)))


def torchcodec_for_another_torch(evidence: Evidence) -> Match | None:
    """torchcodec is compiled for another minor version of torch."""
    torch, codec = torch_version(evidence), version_of(evidence.first("package.torchcodec"))
    if torch is None or codec is None:
        return None
    table = _torchcodec()
    stable = table["stable_from"]
    if codec >= Version(stable["torchcodec"]):
        fits = torch.release[:2] >= Version(stable["torch"]).release[:2]
    else:
        made_for = table["torch"].get(str(codec.public)) or table["torch"].get(f"{codec.major}.{codec.minor}")
        fits = made_for is None or Version(made_for).release[:2] == torch.release[:2]
    if fits:
        return None
    shown = (*evidence.observations("torch.version")[:1], *evidence.observations("package.torchcodec")[:1])
    return Match(evidence=tuple(source(observation) for observation in shown))


@functools.cache
def _torchcodec() -> dict[str, Any]:
    text = Path(__file__).parents[1].joinpath("data", "torchcodec.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
