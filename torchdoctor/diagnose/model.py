"""The answer: what was found, or that nothing is wrong, or that there is not enough to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torchdoctor.diagnose.finding import Finding

__all__ = ["Diagnosis", "Verdict"]

Verdict = Literal["problems-found", "nothing-wrong-found", "not-enough-to-tell"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """Findings, the most likely first cause first.

    `checked` says what was looked at, `next_steps` what to run for more, `left_out` how many lines of a very
    long text were not read.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """Contract 3's document."""
        return {
            "schema": 1,
            "verdict": self.verdict,
            "findings": [row.to_json() for row in self.findings],
            "checked": list(self.checked),
            "next_steps": list(self.next_steps),
            "lines_left_out": self.left_out,
        }
