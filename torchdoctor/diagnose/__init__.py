"""What is wrong, why, and the exact fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.diagnose.engine import diagnose_text, judge
    from torchdoctor.diagnose.evidence import CaseFile, Fact
    from torchdoctor.diagnose.finding import Finding
    from torchdoctor.diagnose.installed_builds import judge_builds
    from torchdoctor.diagnose.model import Diagnosis

__all__ = ["CaseFile", "Diagnosis", "Fact", "Finding", "diagnose_text", "judge", "judge_builds"]

__getattr__ = lazy_names(
    __name__,
    {
        "installed_builds": ("judge_builds",),
        "finding": ("Finding",),
        "evidence": (
            "CaseFile",
            "Fact",
        ),
        "model": ("Diagnosis",),
        "engine": (
            "diagnose_text",
            "judge",
        ),
    },
)
