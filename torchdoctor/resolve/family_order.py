"""Which of two families of builds does less than the other, and whether one cannot use the GPU that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion

from torchdoctor.resolve.compatibility import check_compatibility
from wheels_index import UnknownRelease, UnknownVariant, variant

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from wheels_index import Snapshot

__all__ = ["cannot_use_gpu", "is_lesser_family"]

# Why a build finds no GPU that it could use, where there is one.
_UNFIT = frozenset({"driver-too-old", "no-code", "not-supported", "glibc-too-old"})


def is_lesser_family(before: str | None, after: str) -> bool:
    """Whether a build does less than the installed one: for the CPU alone, or for an older CUDA or ROCm."""
    try:
        old, new = variant(before or ""), variant(after)
    except UnknownVariant:
        return False
    if old.kind == new.kind:
        return (new.toolkit or ()) < (old.toolkit or ())
    return new.kind == "cpu"


def cannot_use_gpu(machine: Machine, version: str, family: str | None, index: Snapshot) -> bool:
    """Whether this build of torch cannot use the GPU that is there: another family then mends something.

    False where there is no GPU, and where the release is not known.
    """
    try:
        release = index.release(version)
        if family is None or machine.platform not in release.platforms:
            return False
        return check_compatibility(machine, release, family).code in _UNFIT
    except (UnknownRelease, UnknownVariant, InvalidVersion):
        return False
