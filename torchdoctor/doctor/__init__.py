"""The check of a live machine: everything looked at once, judged by the same rules as a pasted report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.doctor.inspection import InspectOptions, inspect
    from torchdoctor.doctor.model import CheckUp

__all__ = ["CheckUp", "InspectOptions", "inspect"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "inspection": (
                "InspectOptions",
                "inspect",
            ),
            "model": ("CheckUp",),
        },
    )
