"""What is wrong, why, and the exact fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.diagnosis.builds import judge_builds
from torchdoctor.diagnosis.finding import Finding

if TYPE_CHECKING:
    from torchdoctor.diagnosis.case_file import CaseFile, Fact
    from torchdoctor.diagnosis.diagnosis import Diagnosis
    from torchdoctor.diagnosis.judge import diagnose_text, judge

__all__ = ["CaseFile", "Diagnosis", "Fact", "Finding", "diagnose_text", "judge", "judge_builds"]

_HOMES = {
    "CaseFile": "case_file",
    "Fact": "case_file",
    "Diagnosis": "diagnosis",
    "diagnose_text": "judge",
    "judge": "judge",
}


def __getattr__(name: str) -> Any:
    """Import the rules when first asked for: a check of the builds alone needs none of them."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
