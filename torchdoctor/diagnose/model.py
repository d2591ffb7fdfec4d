"""The answer of a diagnosis: problems, possible causes, that nothing is wrong, or that the evidence is not enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Confidence", "Diagnosis", "Finding", "Question", "SeenMachine", "Severity", "Verdict"]

Severity = Literal["error", "warning", "note"]
Confidence = Literal["certain", "likely", "possible"]
Verdict = Literal["problems-found", "nothing-wrong-found", "not-enough-to-tell"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong, with the evidence, the reason and what to do.

    `id` is the name of the failure in the catalogue and never changes. `evidence` are lines of the report or facts
    of the machine; `fix` are sentences and commands in order. `explains` are ids of failures that were seen as well
    and follow from this one. `check` says how to confirm the finding.

    In a text of several machines, `machines` are the names of those that show it; none if the text does not say where.
    """

    id: str
    severity: Severity
    title: str
    evidence: tuple[str, ...]
    explanation: str
    fix: tuple[str, ...]
    confidence: Confidence = "certain"
    explains: tuple[str, ...] = ()
    check: str = ""
    machines: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `findings` in contract 3."""
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
            "machines": list(self.machines),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The one fact that decides best: a sentence, the command whose output to add, and the causes that are left.

    `command` is empty where the sentence itself says what to add. `between` is empty where no cause is known yet; of
    those causes the answer shows or excludes the ones that `decides` names. `machine` is the one that is meant, in a
    text of several.
    """

    id: str
    text: str
    command: str = ""
    between: tuple[str, ...] = ()
    decides: tuple[str, ...] = ()
    machine: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the value of `question` in contract 3."""
        return {
            "id": self.id,
            "text": self.text,
            "command": self.command or None,
            "between": list(self.between),
            "decides": list(self.decides),
            "machine": self.machine or None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenMachine:
    """One of the machines of a text: the name that the text gives it, the line where it begins, what was read of it.

    Where the text has no name for it, the name is `report 1`, `report 2`.
    """

    name: str
    line: int
    checked: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `machines` in contract 3."""
        return {"name": self.name, "line": self.line, "checked": list(self.checked)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """Problems and possible causes, each the most likely first cause first.

    `findings` are problems: certain or likely. `possible` may be the cause, and the evidence does not decide; the
    `check` of each says what would. With possible causes alone the verdict is `not-enough-to-tell`.

    `checked` says what was looked at, `next_steps` where more evidence is found, and `question` asks for the one
    fact that decides best, if the answer is not certain. `machines` are those of a text that describes several; it is
    empty for one. `left_out` is the number of lines of a very long text that
    were not read.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    possible: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    question: Question | None = None
    machines: tuple[SeenMachine, ...] = ()
    left_out: int = 0

    @property
    def in_order(self) -> tuple[Finding, ...]:
        """Problems, then possible causes: the order in which they are shown."""
        return (*self.findings, *self.possible)

    def to_json(self) -> dict[str, Any]:
        """Return the document of contract 3."""
        return {
            "schema": 1,
            "verdict": self.verdict,
            "findings": [finding.to_json() for finding in self.findings],
            "possible": [finding.to_json() for finding in self.possible],
            "checked": list(self.checked),
            "next_steps": list(self.next_steps),
            "question": self.question.to_json() if self.question else None,
            "machines": [machine.to_json() for machine in self.machines],
            "lines_left_out": self.left_out,
        }
