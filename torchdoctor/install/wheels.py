"""Checks of all wheels together before any is unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.wheelfile import check_file_conflicts, validate_wheel
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from torchdoctor.fetch import Wheelhouse

__all__ = ["validate_wheels"]


def validate_wheels(wheelhouse: Wheelhouse) -> int:
    """Return how many bytes the wheels unpack to; raises `InstallFailed` when one may not be unpacked.

    Two wheels that have the same file are refused, too.
    """
    unpacked = sum(validate_wheel(fetched.path, fetched.wheel.filename) for fetched in wheelhouse.wheels)
    check_file_conflicts(
        {fetched.wheel.name: fetched.path for fetched in wheelhouse.wheels}, ("torch", *COMPANIONS)
    )
    return unpacked
