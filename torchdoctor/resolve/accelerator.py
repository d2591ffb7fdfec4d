"""Which package of a ROCm or XPU build is on PyTorch's own index alone: its triton."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from wheels_index import variant

if TYPE_CHECKING:
    from wheels_index import Release, Snapshot

__all__ = ["accelerator_package"]


def accelerator_package(release: Release, build: str, snapshot: Snapshot) -> str | None:
    """Return the name of the triton that this build of a release requires; None where PyPI's serves, or none does.

    The names changed over time (`pytorch-triton-rocm`, then `triton-rocm`). The triton that the release requires
    from PyPI decides: the older name stands for the versions up to the last that was seen under it.
    """
    names = variant(build).accelerator_packages
    if not names:
        return None
    newest, *older = names
    wanted = _triton_of(release)
    for name in older:
        seen = max((wheel.version for wheel in snapshot.project(name)), default=None)
        if wanted is not None and seen is not None and wanted.release[:2] <= seen.release[:2]:
            return name
    return newest


def _triton_of(release: Release) -> Version | None:
    """Return the version of `3.5.1` or `~=3.8.0`; None where none is known."""
    if release.triton is None:
        return None
    text = release.triton.version
    try:
        return Version(text)
    except InvalidVersion:
        pass
    try:
        versions = [Version(each.version.removesuffix(".*")) for each in SpecifierSet(text)]
    except (InvalidSpecifier, InvalidVersion):
        return None
    return max(versions, default=None)
