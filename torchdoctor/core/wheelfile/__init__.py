"""A wheel, read without unpacking it: whether its bytes are right, and whether what is in it may be unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.wheelfile.checksums import Damage, Member, check_member, first_damaged, members
    from torchdoctor.core.wheelfile.file_owners import (
        FileOwners,
        PackageFiles,
        are_one_program,
        is_harmless_twice,
        wheel_files,
    )
    from torchdoctor.core.wheelfile.placement import command_names, location_of, placements
    from torchdoctor.core.wheelfile.record_hashes import RecordedFile, member_hash, recorded_files
    from torchdoctor.core.wheelfile.validation import validate_wheel

__all__ = [
    "Damage",
    "FileOwners",
    "Member",
    "PackageFiles",
    "RecordedFile",
    "are_one_program",
    "check_member",
    "command_names",
    "first_damaged",
    "is_harmless_twice",
    "location_of",
    "member_hash",
    "members",
    "placements",
    "recorded_files",
    "validate_wheel",
    "wheel_files",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "checksums": ("Damage", "Member", "check_member", "first_damaged", "members"),
            "file_owners": (
                "FileOwners",
                "PackageFiles",
                "are_one_program",
                "is_harmless_twice",
                "wheel_files",
            ),
            "placement": ("command_names", "location_of", "placements"),
            "record_hashes": ("RecordedFile", "member_hash", "recorded_files"),
            "validation": ("validate_wheel",),
        },
    )
