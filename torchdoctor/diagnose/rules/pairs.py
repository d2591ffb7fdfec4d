"""Whether a companion's version goes with torch's: the pairs of releases, and the builds of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.diagnose.derived import torch_version, version_of
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["builds_differ", "of_another_torch"]

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


def of_another_torch(project: str) -> Callable[[Evidence], Match | None]:
    """The companion's version is one that another torch goes with."""

    def look(case: Evidence) -> Match | None:
        torch = torch_version(case)
        rows = case.observations(f"package.{project}") or case.observations(f"mention.{project}")
        companion = version_of(rows[0].value) if rows else None
        if torch is None or companion is None or "dev" in str(torch) or case.first("torch.removed"):
            return None
        if project == "torchvision" and companion.release[:2] < _FIRST_COMPILED:
            return None
        fits = _belonging(project, torch)
        if not fits or companion.release[:2] in fits:
            return None
        return Match(
            evidence=tuple(source(one) for one in (*case.observations("torch.version")[:1], *rows[:1]))
        )

    return look


def builds_differ(project: str) -> Callable[[Evidence], Match | None]:
    """The local versions of torch and the companion differ, both being said."""

    def look(case: Evidence) -> Match | None:
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
        return Match(
            evidence=(
                source(case.observations("torch.version")[0]),
                source(case.observations(f"package.{project}")[0]),
            )
        )

    return look
