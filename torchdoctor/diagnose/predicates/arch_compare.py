"""A GPU's compute capability against the targets that a build has compiled code for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import arch_list_of, arch_range_of, capabilities, cuda_of_build
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.diagnose.evidence import Evidence

    Capability = tuple[int, int]

__all__ = [
    "build_covers_every_gpu",
    "gpu_above_build_targets",
    "gpu_below_build_targets",
    "gpu_between_build_targets",
    "gpu_generation_dropped",
    "gpu_newer_than_cuda",
    "gpu_older_than_cuda",
]

_JETSONS = {(5, 3), (6, 2), (7, 2), (8, 7)}
# Below Turing. A build that has code for older and for newer GPUs than one of these has dropped it.
_FIRST_KEPT = (7, 5)


def _runs(target: Capability, device: Capability) -> bool:
    return target[0] == device[0] and target[1] <= device[1]


def _uncovered(
    evidence: Evidence, is_wanted: Callable[[Capability, tuple[Capability, ...]], bool]
) -> Match | None:
    """Match the first GPU that no target of the build runs on, if `is_wanted(its capability, the targets)`."""
    targets = arch_list_of(evidence) or arch_range_of(evidence)
    if not targets:
        return None
    for device, observation in capabilities(evidence):
        if not any(_runs(target, device) for target in targets) and is_wanted(device, targets):
            return Match(evidence=(source(observation),))
    return None


def build_covers_every_gpu(evidence: Evidence) -> Match | None:
    """The build has code for every GPU that is named, so something else lacks it."""
    targets, gpus = arch_list_of(evidence), capabilities(evidence)
    if not targets or not gpus:
        return None
    covered = all(any(_runs(target, device) for target in targets) for device, _ in gpus)
    return Match(evidence=(source(gpus[0][1]),)) if covered else None


def gpu_above_build_targets(evidence: Evidence) -> Match | None:
    """A GPU is newer than every target of the build."""
    return _uncovered(evidence, lambda device, targets: device > max(targets))


def gpu_below_build_targets(evidence: Evidence) -> Match | None:
    """A GPU is older than every target of the build."""
    return _uncovered(evidence, lambda device, targets: device < min(targets))


def gpu_between_build_targets(evidence: Evidence) -> Match | None:
    """A GPU lies between two generations that the build has code for, such as that of a Jetson."""
    return _uncovered(evidence, lambda device, targets: min(targets) <= device <= max(targets))


def gpu_generation_dropped(evidence: Evidence) -> Match | None:
    """A card lies between two generations of the build: its own was taken out. A Jetson's never was in."""
    return _uncovered(
        evidence,
        lambda device, targets: (
            min(targets) < device < max(targets) and device not in _JETSONS and device < _FIRST_KEPT
        ),
    )


def gpu_newer_than_cuda(evidence: Evidence) -> Match | None:
    """The GPU's generation alone is newer than what builds with that CUDA are made for.

    Blackwell with CUDA before 12.8, Ampere with CUDA before 11.0 (8.6 and later: 11.1).
    """
    cuda = cuda_of_build(evidence)
    for device, observation in capabilities(evidence):
        blackwell = device >= (10, 0) and (cuda is None or cuda < (12, 8))
        first_ampere = (11, 1 if device >= (8, 6) else 0)
        ampere = (8, 0) <= device < (9, 0) and cuda is not None and cuda < first_ampere
        if blackwell or ampere:
            return Match(evidence=(source(observation),))
    return None


def gpu_older_than_cuda(evidence: Evidence) -> Match | None:
    """The GPU's generation alone is older than what builds with that CUDA are made for.

    Pascal and older with CUDA 12.8 or later, Volta with CUDA 13, and Kepler before 3.7 with any.
    """
    cuda = cuda_of_build(evidence)
    for device, observation in capabilities(evidence):
        pascal = device < (7, 0) and (cuda is None or cuda >= (12, 8))
        volta = device < _FIRST_KEPT and cuda is not None and cuda >= (13, 0)
        if pascal or volta or device < (3, 7):
            return Match(evidence=(source(observation),))
    return None
