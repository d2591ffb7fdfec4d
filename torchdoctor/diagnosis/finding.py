"""A finding: what is wrong, what shows it, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong. `id` is the failure's name in the catalogue and stays the same."""

    id: str
    severity: Severity
    title: str
    evidence: tuple[str, ...]
    explanation: str
    fix: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Contract 3's row of `findings`."""
        return {
            "id": self.id,
            "severity": self.severity,
            "title": self.title,
            "evidence": list(self.evidence),
            "explanation": self.explanation,
            "fix": list(self.fix),
        }
