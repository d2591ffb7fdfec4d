"""Failures against evidence: which of them show, which follow from others, and in which order to report them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import with_trailing_space
from torchdoctor.diagnose import messages
from torchdoctor.diagnose.catalogue import all_failures
from torchdoctor.diagnose.confirmation import how_to_confirm
from torchdoctor.diagnose.fix_lines import filled, fix_lines
from torchdoctor.diagnose.matchers import WEIGHTS
from torchdoctor.diagnose.model import Diagnosis, Finding
from torchdoctor.diagnose.parsers.speakers import is_output, states_a_value
from torchdoctor.diagnose.placeholders import Placeholders
from torchdoctor.diagnose.text import displayable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.failure import Failure
    from torchdoctor.diagnose.model import Confidence, Verdict

    Translate = Callable[[str], str]

__all__ = ["diagnose"]

# Weights from 0 to 1, as those of the signs.
_MIN_WEIGHT = 0.25  # a failure with less is not reported
_MIN_CAUSE_WEIGHT = 0.5  # a failure with less is not taken for the cause of another
_MIN_PROBLEM_WEIGHT = 0.7  # a failure with less is only possible
_MIN_CERTAIN_WEIGHT = 0.9
# The most that a failure has whose evidence is not enough for more: see `_trusted`.
_BELOW_CERTAIN, _BELOW_PROBLEM = 0.89, 0.69
_MAX_WEIGHT_ABOVE_CAUSE = 0.25  # a failure with stronger evidence than its cause by more stands for itself
_MAX_EVIDENCE_LINES = 6
_MAX_CHECKED_VALUES = 4
_CONFIDENCE: tuple[tuple[float, Confidence], ...] = (
    (_MIN_CERTAIN_WEIGHT, "certain"),
    (_MIN_PROBLEM_WEIGHT, "likely"),
    (0.0, "possible"),
)
_RANKS = (_MIN_CERTAIN_WEIGHT, _MIN_PROBLEM_WEIGHT, _MIN_CAUSE_WEIGHT, 0.0)
_SEVERITIES = ("error", "warning", "note")
# What torchdoctor itself reported, in a text.
_REPORTED = {"reported.possible": WEIGHTS["possible"], "reported.finding": WEIGHTS["certain"]}
# Facts that show that torch computes on a GPU.
_WORKS = ("cuda.available", "xpu.available", "mps.available")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Suspect:
    failure: Failure
    weight: float
    evidence: tuple[str, ...]
    values: Mapping[str, str]
    trusted: float  # the weight that its evidence is worth: see `_trusted`
    seen: bool = False  # files or metadata of this machine state it by themselves

    @property
    def order(self) -> tuple[int, int, int, float, str]:
        """Certain before likely before possible, errors before what is only a warning, the lowest layer first."""
        rank = next(index for index, least in enumerate(_RANKS) if self.weight >= least)
        severity = _SEVERITIES.index(self.failure.severity)
        return rank, severity, self.failure.layer, -self.weight, self.failure.id


def diagnose(
    evidence: Evidence, translate: Translate = str, failures: Sequence[Failure] | None = None
) -> Diagnosis:
    """Return what is wrong, causes before symptoms; what follows from another finding is named in that one.

    `failures` are those of texts if not given; `live_failures()` are meant for the evidence of a machine.
    """
    known = all_failures() if failures is None else failures
    suspects = sorted(_suspects(known, evidence), key=lambda suspect: suspect.order)
    causes = _causes(suspects)
    shown = [suspect for suspect in suspects if suspect.failure.id not in causes]
    found = [_finding(suspect, evidence, translate, causes) for suspect in shown]
    found += _reported_by_verify(evidence, translate)
    findings = tuple(finding for finding in found if finding.confidence != "possible")
    checked = tuple(
        translate(template).format(value=translate(", ").join(evidence.all(name)[:_MAX_CHECKED_VALUES]))
        for name, template in messages.CHECKED.items()
        if evidence.observations(name)
    )
    return Diagnosis(
        verdict=_verdict(evidence, found),
        findings=findings,
        possible=tuple(finding for finding in found if finding.confidence == "possible"),
        checked=checked,
        left_out=evidence.text.left_out,
    )


def _verdict(evidence: Evidence, found: Sequence[Finding]) -> Verdict:
    if found:
        problems = any(finding.confidence != "possible" for finding in found)
        return "problems-found" if problems else "not-enough-to-tell"
    if evidence.first("reported.checked"):
        return "nothing-wrong-found"
    works = any(evidence.first(name) == "true" for name in _WORKS)
    enough = works and evidence.first("torch.version") is not None
    return "nothing-wrong-found" if enough else "not-enough-to-tell"


def _reported_by_verify(evidence: Evidence, translate: Translate) -> Iterator[Finding]:
    """Yield what `verify` reports in a text, and no failure of the catalogue."""
    reported = evidence.observations("reported.finding")
    if reported:
        from torchdoctor.diagnose.cause_table import finding_by_id

        for observation in reported:
            finding = finding_by_id(observation.value, displayable(observation.source), translate)
            if finding is not None:
                yield finding


def _suspects(known: Sequence[Failure], evidence: Evidence) -> Iterator[_Suspect]:
    """Yield what shows; of a text in which torchdoctor reports findings, these, and what the rest of it shows."""
    own = {
        observation.value: (weight, observation.source)
        for name, weight in _REPORTED.items()
        for observation in evidence.observations(name)
    }
    nothing_else = evidence.first("reported.by") is not None and not evidence.text.lower.strip()
    for failure in known:
        if failure.id in own:
            weight, seen = own[failure.id]
            yield _Suspect(
                failure=failure, weight=weight, trusted=weight, evidence=(displayable(seen),), values={}
            )
        elif not nothing_else and (suspect := _suspect(failure, evidence)):
            yield suspect


def _suspect(failure: Failure, evidence: Evidence) -> _Suspect | None:
    found = [(match, sign.weight) for sign in failure.signs if (match := sign.matches(evidence)) is not None]
    if not found:
        return None
    weight = 1 - math.prod(1 - weight for _, weight in found)
    if weight < _MIN_WEIGHT or any(sign.matches(evidence) is not None for sign in failure.unless):
        return None
    values: dict[str, str] = {}
    for match, _ in found:
        values = {**match.values, **values}
    lines = dict.fromkeys(line for match, _ in found for line in match.evidence if line)
    seen = any(
        sign.live_only and sign.weight >= _MIN_CERTAIN_WEIGHT and sign.matches(evidence) is not None
        for sign in failure.signs
    )
    return _Suspect(
        failure=failure,
        weight=weight,
        trusted=_trusted([(match.evidence, weight) for match, weight in found], evidence),
        evidence=tuple(lines)[:_MAX_EVIDENCE_LINES],
        values=values,
        seen=seen,
    )


def _trusted(found: Sequence[tuple[tuple[str, ...], float]], evidence: Evidence) -> float:
    """Return the weight of signs together, of which each has its lines of evidence and its own weight.

    Signs of one text often see the same thing, so that many of them are not as good as a certain one. Of 452 texts that
    nobody had read before, a certain sign named the cause in 95 of 100, several likely ones together in 88, one likely
    sign in 85 where a program printed what it sees, and in 60 where somebody tells it.
    """
    weight = 1 - math.prod(1 - weight for _, weight in found)
    if max(weight for _, weight in found) >= _MIN_CERTAIN_WEIGHT:
        return weight
    if weight >= _MIN_CERTAIN_WEIGHT:
        return _BELOW_CERTAIN
    strong = [lines for lines, each in found if each >= _MIN_CAUSE_WEIGHT]
    told = len(strong) <= 1 and not any(_is_printed(line, evidence) for lines in strong for line in lines)
    return min(weight, _BELOW_PROBLEM) if told else weight


def _is_printed(line: str, evidence: Evidence) -> bool:
    """Whether a line of evidence is what a program printed, or of a live machine: no line of the text."""
    if evidence.text.printed or line.rstrip("…") not in evidence.text.flat:
        return True
    return is_output(line.lower()) or states_a_value(line.lower())


def _causes(suspects: Sequence[_Suspect]) -> dict[str, str]:
    """Return the failures that follow from another one that was found, each with the id of that cause."""
    by_id = {suspect.failure.id: suspect for suspect in suspects}
    causes: dict[str, str] = {}
    for suspect in suspects:
        if suspect.weight < _MIN_CAUSE_WEIGHT or suspect.failure.id in causes:
            continue
        for masked in suspect.failure.masks:
            if masked in by_id and _may_be_cause(suspect, by_id[masked]):
                causes.setdefault(masked, suspect.failure.id)
    return causes


def _may_be_cause(cause: _Suspect, symptom: _Suspect) -> bool:
    """Whether the evidence for the cause is strong enough.

    What is only possible explains no problem, and nothing that is less than certain hides what the files of this
    machine state.
    """
    is_problem = symptom.weight >= _MIN_PROBLEM_WEIGHT > cause.weight
    hides_a_fact = symptom.seen and cause.weight < _MIN_CERTAIN_WEIGHT
    near = symptom.weight - cause.weight <= _MAX_WEIGHT_ABOVE_CAUSE
    return near and not is_problem and not hides_a_fact


def _finding(
    suspect: _Suspect, evidence: Evidence, translate: Translate, causes: Mapping[str, str]
) -> Finding:
    failure, values = suspect.failure, Placeholders(evidence, suspect.values)
    details = (text for detail in failure.details if (text := filled(translate(detail), values)))
    *before, last = [translate(failure.explanation), *details]
    return Finding(
        id=failure.id,
        severity=failure.severity,
        title=translate(failure.title),
        evidence=suspect.evidence,
        explanation="".join(map(with_trailing_space, before)) + last,
        fix=tuple(fix_lines(failure, suspect.values, evidence, translate)),
        confidence=next(name for least, name in _CONFIDENCE if suspect.trusted >= least),
        explains=tuple(name for name, cause in causes.items() if cause == failure.id),
        check=how_to_confirm(failure, evidence, translate),
    )
