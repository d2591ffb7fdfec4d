"""Which variant of PyTorch a build is, by its version: cu130 of 2.13.0+cu130."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from torchdoctor.inventory.metadata import parse_version_file
from wheels_index import variant_of

__all__ = ["local_variant", "variant_of_version_file"]


def variant_of_version_file(text: str) -> str | None:
    """Return the variant in the `__version__` line of a version.py; None when it names none."""
    return local_variant(parse_version_file(text).version)


def local_variant(version: str | None) -> str | None:
    """Return the variant that a version's local part names; None when it names none or is no version."""
    try:
        return variant_of(Version(version)) if version else None
    except InvalidVersion:
        return None
