"""A wheel, read without unpacking it: whether its bytes are right, and whether what is in it may be unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.wheelfile.checksums import Damage, Member, check_member, first_damaged, members
    from torchdoctor.core.wheelfile.validation import check_file_conflicts, validate_wheel

__all__ = [
    "Damage",
    "Member",
    "check_file_conflicts",
    "check_member",
    "first_damaged",
    "members",
    "validate_wheel",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "checksums": ("Damage", "Member", "check_member", "first_damaged", "members"),
            "validation": ("check_file_conflicts", "validate_wheel"),
        },
    )
