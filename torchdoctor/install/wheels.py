"""Checks of all wheels together before any is unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.wheelfile import FileOwners, validate_wheel, wheel_files
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.core.wheelfile import PackageFiles
    from torchdoctor.fetch import Wheelhouse

__all__ = ["validate_wheels"]


def validate_wheels(wheelhouse: Wheelhouse, installed: Iterable[PackageFiles] = ()) -> int:
    """Return how many bytes the wheels unpack to; raises `InstallFailed` when one may not be unpacked.

    Two wheels that have different files for one place are refused, too, and one that would replace a file of a package
    that is `installed` and stays.
    """
    unpacked = sum(validate_wheel(fetched.path, fetched.wheel.filename) for fetched in wheelhouse.wheels)
    owners = FileOwners(TORCH_PROJECTS, installed)
    for fetched in wheelhouse.wheels:
        owners.add(wheel_files(fetched.wheel.name, fetched.path))
    return unpacked
