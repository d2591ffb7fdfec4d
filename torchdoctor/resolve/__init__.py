"""Machine + Request + listings -> Plan: which build fits, and why not the others. Pure: no machine, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.resolve.model import Candidate, Plan, PlannedPackage, Rejected, Request, SolvedPackage
    from torchdoctor.resolve.offline import resolve
    from torchdoctor.resolve.select import rank

__all__ = ["Candidate", "Plan", "PlannedPackage", "Rejected", "Request", "SolvedPackage", "rank", "resolve"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "model": ("Candidate", "Plan", "PlannedPackage", "Rejected", "Request", "SolvedPackage"),
            "offline": ("resolve",),
            "select": ("rank",),
        },
    )
