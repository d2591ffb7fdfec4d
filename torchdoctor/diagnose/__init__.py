"""What is wrong, why, and the exact fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.diagnose.engine import diagnose, diagnose_text
    from torchdoctor.diagnose.evidence import Evidence, Observation
    from torchdoctor.diagnose.model import Diagnosis, Finding

__all__ = ["Diagnosis", "Evidence", "Finding", "Observation", "diagnose", "diagnose_text"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "evidence": (
                "Evidence",
                "Observation",
            ),
            "model": ("Diagnosis", "Finding"),
            "engine": (
                "diagnose_text",
                "diagnose",
            ),
        },
    )
