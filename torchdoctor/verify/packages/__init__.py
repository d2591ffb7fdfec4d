"""Every package that was asked for or requires torch: imported in a process of its own, several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.verify.packages.model import ListedPackage
    from torchdoctor.verify.packages.runner import verify_packages

__all__ = ["ListedPackage", "verify_packages"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(__name__, {"model": ("ListedPackage",), "runner": ("verify_packages",)})
