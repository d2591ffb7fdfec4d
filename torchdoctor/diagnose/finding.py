"""A finding: what is wrong, what shows it, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Confidence", "Finding", "Severity"]

Severity = Literal["error", "warning", "note"]
Confidence = Literal["sure", "likely", "possible"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong. `id` is the failure's name in the catalogue and stays the same.

    `confidence` says how well the evidence carries it; `explains` names failures that were seen as well and
    follow from this one; `check` says how to make sure.
    """

    id: str
    severity: Severity
    title: str
    evidence: tuple[str, ...]
    explanation: str
    fix: tuple[str, ...]
    confidence: Confidence = "sure"
    explains: tuple[str, ...] = ()
    check: str = ""

    def to_json(self) -> dict[str, Any]:
        """Contract 3's row of `findings`."""
        return {
            "id": self.id,
            "severity": self.severity,
            "title": self.title,
            "evidence": list(self.evidence),
            "explanation": self.explanation,
            "fix": list(self.fix),
            "confidence": self.confidence,
            "explains": list(self.explains),
            "check": self.check,
        }
