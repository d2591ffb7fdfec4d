"""Check that torchvision, torchaudio and NumPy are compatible with the installed torch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.inventory.package_model import CompanionMatch, Numpy

if TYPE_CHECKING:
    from torchdoctor.inventory.package_model import TorchPackage
    from wheels_index import Release, Snapshot

__all__ = ["match_companion", "numpy_compatibility"]


def match_companion(torch: TorchPackage, companion: TorchPackage, index: Snapshot) -> CompanionMatch | None:
    """Return whether the companion belongs to this torch; None where one of the two has no version."""
    if torch.version is None or companion.version is None:
        return None
    declared = _declared(companion)
    release = _release(torch.version, index)
    known = release.companions.get(companion.name) if release else None
    belongs = tuple(map(str, known.versions)) if known else ()
    matches, why = _judge(torch.version, companion.version, belongs, declared)
    variants = (torch.variant.value, companion.variant.value)
    return CompanionMatch(
        name=companion.name,
        version=companion.version,
        torch=torch.version,
        belongs=belongs,
        declared=declared,
        matches=matches,
        same_variant=variants[0] == variants[1] if None not in variants else None,
        why=why,
    )


def _judge(
    torch: str, companion: str, belongs: tuple[str, ...], declared: str | None
) -> tuple[bool | None, str]:
    public = companion.partition("+")[0]
    if belongs:
        return public in belongs, message(
            "known to belong to torch {torch}: {belongs}", torch=torch, belongs=joined(belongs)
        )
    if declared is None:
        return None, message(
            "its metadata requires no torch, and the versions that belong to this torch are unknown"
        )
    try:
        fits = SpecifierSet(declared).contains(Version(torch).public, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None, message("its requirement of torch cannot be read")
    return fits, message("its metadata requires torch{declared}", declared=declared)


def _declared(companion: TorchPackage) -> str | None:
    for line in companion.distribution.requires if companion.distribution else ():
        match = re.match(r"torch\s{0,8}\(?\s{0,8}([=<>!~][^;)]{0,100})", line)
        if match and "extra" not in line.partition(";")[2]:
            return match[1].replace(" ", "")
    return None


def _release(version: str, index: Snapshot) -> Release | None:
    try:
        return index.release(version)
    except (KeyError, InvalidVersion):
        return None


def numpy_compatibility(
    version: str, torch: TorchPackage | None, platform: str | None, index: Snapshot
) -> Numpy:
    """Return whether this NumPy fits the torch build; `needed` is None where the build needs nothing that is known."""
    release = _release(torch.version, index) if torch and torch.version else None
    needed = release.numpy.get(platform or "") if release else None
    major = re.match(r"\d{1,4}", version, re.ASCII)
    return Numpy(
        version=version,
        major=int(major[0]) if major else None,
        needed=needed,
        fits=_contains(needed, version) if needed else True if release and platform else None,
    )


def _contains(specifier: str, version: str) -> bool | None:
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None
