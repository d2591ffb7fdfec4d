"""The check-up of a live machine: inspects it all at once and judges it by the rules that judge a pasted report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.doctor.inspection import InspectOptions, inspect
    from torchdoctor.doctor.lines import check_lines
    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.doctor.repairs import plan_repairs

__all__ = ["CheckUp", "InspectOptions", "check_lines", "inspect", "plan_repairs"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "inspection": ("InspectOptions", "inspect"),
            "lines": ("check_lines",),
            "model": ("CheckUp",),
            "repairs": ("plan_repairs",),
        },
    )
