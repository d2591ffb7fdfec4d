"""Whether a companion's version and build belong to the installed torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version, version_of
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["companion_build_differs", "companion_for_another_torch", "cpu_torchvision_with_cuda_torch"]

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
        row = bundled().release(Version(torch.public)).companions.get(project)
    except UnknownRelease:
        return set()
    if row is None or (project == "torchaudio" and row.constraint is None):
        return set()
    return {version.release[:2] for version in row.versions}


def companion_for_another_torch(case: Evidence, *, project: str) -> Match | None:
    """The version of the companion belongs to another torch."""
    torch = torch_version(case)
    companions = case.observations(f"package.{project}") or case.observations(f"mention.{project}")
    companion = version_of(companions[0].value) if companions else None
    if torch is None or companion is None or "dev" in str(torch) or case.first("torch.removed"):
        return None
    if project == "torchvision" and companion.release[:2] < _FIRST_COMPILED:
        return None
    fits = _belonging(project, torch)
    if not fits or companion.release[:2] in fits:
        return None
    shown = (*case.observations("torch.version")[:1], *companions[:1])
    return Match(evidence=tuple(source(observation) for observation in shown))


def companion_build_differs(case: Evidence, *, project: str) -> Match | None:
    """torch and the companion both have a local version, and the two differ."""
    torch, companion = torch_version(case), version_of(case.first(f"package.{project}"))
    if (
        torch is None
        or companion is None
        or not torch.local
        or not companion.local
        or torch.local == companion.local
        or torch.is_prerelease  # built from source: each has its own commit there
    ):
        return None
    return _both(case, project)


def cpu_torchvision_with_cuda_torch(case: Evidence) -> Match | None:
    """torch is a CUDA build and torchvision is tagged cpu."""
    torch, vision = torch_version(case), version_of(case.first("package.torchvision"))
    if torch is None or vision is None or vision.local != "cpu" or not (torch.local or "").startswith("cu"):
        return None
    return _both(case, "torchvision")


def _both(case: Evidence, project: str) -> Match:
    torch, companion = case.observations("torch.version")[0], case.observations(f"package.{project}")[0]
    return Match(evidence=(source(torch), source(companion)))
