"""What is wrong, why, and the exact fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.diagnose.catalogue import all_failures, live_failures
    from torchdoctor.diagnose.engine import diagnose
    from torchdoctor.diagnose.evidence import Evidence, Observation
    from torchdoctor.diagnose.model import Diagnosis, Finding, Question
    from torchdoctor.diagnose.pasted_text import diagnose_text

__all__ = [
    "Diagnosis",
    "Evidence",
    "Finding",
    "Observation",
    "Question",
    "all_failures",
    "diagnose",
    "diagnose_text",
    "live_failures",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "catalogue": ("all_failures", "live_failures"),
            "engine": ("diagnose",),
            "evidence": ("Evidence", "Observation"),
            "model": ("Diagnosis", "Finding", "Question"),
            "pasted_text": ("diagnose_text",),
        },
    )
