"""Ranges of releases without the builds that they may name."""

from __future__ import annotations

import re

from packaging.specifiers import SpecifierSet

__all__ = ["without_local"]


def without_local(specifiers: SpecifierSet) -> SpecifierSet:
    """Return `==2.9.1+cu126` as `==2.9.1`: the build is chosen anew, the release is not.

    >>> str(without_local(SpecifierSet("==2.9.1+cu126")))
    '==2.9.1'
    """
    return SpecifierSet(re.sub(r"\+[A-Za-z0-9.]+", "", str(specifiers)))
