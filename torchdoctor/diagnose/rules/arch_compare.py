"""A GPU's compute capability against the code that a build has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.derived import arch_list_of, capabilities, cuda_of_build
from torchdoctor.diagnose.matchers import Match, any_of, predicate, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.matchers import Predicate

__all__ = ["TOO_NEW", "between", "covered", "dropped", "of_generation", "too_new", "too_old"]

_JETSONS = {(5, 3), (6, 2), (7, 2), (8, 7)}


def _runs(code: tuple[int, int], device: tuple[int, int]) -> bool:
    return code[0] == device[0] and code[1] <= device[1]


def _gpu_against_archs(case: Evidence) -> list[tuple[tuple[int, int], tuple[tuple[int, int], ...], str]]:
    archs = arch_list_of(case)
    if not archs:
        return []
    return [
        (device, archs, source(row))
        for device, row in capabilities(case)
        if not any(_runs(code, device) for code in archs)
    ]


def covered(case: Evidence) -> Match | None:
    """The build has code for every GPU that is named: what lacks it is something else."""
    archs, found = arch_list_of(case), capabilities(case)
    if not archs or not found:
        return None
    runs = all(any(_runs(code, device) for code in archs) for device, _ in found)
    return Match(evidence=(source(found[0][1]),)) if runs else None


def too_new(case: Evidence) -> Match | None:
    """A GPU above everything that the build has code for."""
    return next(
        (Match(evidence=(line,)) for device, archs, line in _gpu_against_archs(case) if device > max(archs)),
        None,
    )


def too_old(case: Evidence) -> Match | None:
    """A GPU below everything that the build has code for."""
    return next(
        (Match(evidence=(line,)) for device, archs, line in _gpu_against_archs(case) if device < min(archs)),
        None,
    )


def between(case: Evidence) -> Match | None:
    """A GPU between two generations that the build has code for, such as a Jetson's."""
    return next(
        (
            Match(evidence=(line,))
            for device, archs, line in _gpu_against_archs(case)
            if min(archs) <= device <= max(archs)
        ),
        None,
    )


def dropped(case: Evidence) -> Match | None:
    """A card between two generations of the build: its own was taken out. A Jetson's never was in."""
    return next(
        (
            Match(evidence=(line,))
            for device, archs, line in _gpu_against_archs(case)
            if min(archs) < device < max(archs) and device not in _JETSONS and device < (7, 5)
        ),
        None,
    )


def of_generation(*, old: bool) -> Predicate:
    """The GPU's generation alone is newer, or older, than what builds with that CUDA are made for."""

    def look(case: Evidence) -> Match | None:
        """Blackwell with CUDA before 12.8, Pascal and older with CUDA 12.8 or later."""
        cuda = cuda_of_build(case)
        for device, row in capabilities(case):
            new_gpu = device >= (10, 0) and (cuda is None or cuda < (12, 8))
            new_gpu = new_gpu or (
                (8, 0) <= device < (9, 0) and cuda is not None and cuda < (11, 1 if device >= (8, 6) else 0)
            )
            old_gpu = (
                (device < (7, 0) and (cuda is None or cuda >= (12, 8)))
                or (device < (7, 5) and cuda is not None and cuda >= (13, 0))
                or device < (3, 7)
            )
            if old_gpu if old else new_gpu:
                return Match(evidence=(source(row),))
        return None

    return look


TOO_NEW = any_of(predicate(too_new), predicate(of_generation(old=False)))
