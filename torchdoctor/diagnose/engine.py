"""Rules against a case file: which failures show, which of them follow from others, in which order to tell them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import with_trailing_space
from torchdoctor.diagnose import messages
from torchdoctor.diagnose.derived import operating_system
from torchdoctor.diagnose.model import Diagnosis, Finding
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.placeholders import Placeholders, command_values
from torchdoctor.diagnose.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.model import Confidence, Verdict
    from torchdoctor.diagnose.rule import Rule, Step

    Translate = Callable[[str], str]

__all__ = ["diagnose", "diagnose_text"]

_LEAST = 0.25
_CARRIES = 0.5
_FAR = 0.25
_EVIDENCE = 6
_CONFIDENCE: tuple[tuple[float, Confidence], ...] = ((0.9, "sure"), (0.7, "likely"), (0.0, "possible"))
# What makes sure that a machine was looked at at all, and found well.
_LOOKED_AT = ("torch.version", "cuda.available", "nvidia.driver", "nvidia.gpu", "python.version", "os.system")
_WORKS = ("cuda.available", "xpu.available", "mps.available")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Suspect:
    rule: Rule
    weight: float
    evidence: tuple[str, ...]
    values: Mapping[str, str]

    @property
    def order(self) -> tuple[int, int, float, str]:
        """Sure before likely before possible, and within each the lowest layer first."""
        rank = next(
            n
            for n, (least, _) in enumerate((*_CONFIDENCE[:2], (_CARRIES, ""), (0.0, "")))
            if self.weight >= least
        )
        return rank, self.rule.layer, -self.weight, self.rule.id


def diagnose_text(raw: str, translate: Translate = str) -> Diagnosis:
    """What is wrong, from a pasted report, log or traceback alone; `translate` gives the texts' language."""
    return diagnose(parse_report(raw), translate)


def diagnose(case: Evidence, translate: Translate = str, rules: Sequence[Rule] = RULES) -> Diagnosis:
    """What is wrong, causes before symptoms; what follows from another finding is named in that one."""
    suspects = sorted((row for rule in rules if (row := _suspect(rule, case))), key=lambda row: row.order)
    absorbed = _absorbed(suspects)
    findings = tuple(
        _finding(row, case, translate, absorbed) for row in suspects if row.rule.id not in absorbed
    )
    checked = tuple(
        translate(messages.CHECKED[name]).format(value=translate(", ").join(case.all(name)[:4]))
        for name in messages.CHECKED
        if case.observations(name)
    )
    works = any(case.first(name) == "true" for name in _WORKS)
    enough = works and case.first("torch.version") is not None
    verdict: Verdict = (
        "problems-found" if findings else "nothing-wrong-found" if enough else "not-enough-to-tell"
    )
    steps = (
        ()
        if (findings and findings[0].confidence == "sure") or verdict == "nothing-wrong-found"
        else tuple(map(translate, messages.NEXT_STEPS))
    )
    return Diagnosis(
        verdict=verdict, findings=findings, checked=checked, next_steps=steps, left_out=case.text.left_out
    )


def _suspect(rule: Rule, case: Evidence) -> _Suspect | None:
    found = [(seen, sign.weight) for sign in rule.signs if (seen := sign.test(case)) is not None]
    if not found:
        return None
    weight = 1 - math.prod(1 - one for _, one in found)
    if weight < _LEAST or any(test(case) is not None for test in rule.unless):
        return None
    values: dict[str, str] = {}
    for seen, _ in found:
        values = {**seen.values, **values}
    lines = dict.fromkeys(line for seen, _ in found for line in seen.evidence if line)
    return _Suspect(rule=rule, weight=weight, evidence=tuple(lines)[:_EVIDENCE], values=values)


def _absorbed(suspects: Sequence[_Suspect]) -> dict[str, str]:
    """Failures that follow from another one that was found, each with the id of that one."""
    found = {row.rule.id: row.weight for row in suspects}
    absorbed: dict[str, str] = {}
    for row in suspects:
        if row.weight < _CARRIES or row.rule.id in absorbed:
            continue
        for name in row.rule.explains:
            # What is far better attested than its cause stands for itself.
            if name in found and found[name] - row.weight <= _FAR:
                absorbed.setdefault(name, row.rule.id)
    return absorbed


def _finding(row: _Suspect, case: Evidence, translate: Translate, absorbed: Mapping[str, str]) -> Finding:
    rule, values = row.rule, Placeholders(case, row.values)
    details = (text for one in rule.details if (text := _filled(translate(one), values)))
    *before, last = [translate(rule.explanation), *details]
    return Finding(
        id=rule.id,
        severity=rule.severity,
        title=translate(rule.title),
        evidence=row.evidence,
        explanation="".join(map(with_trailing_space, before)) + last,
        fix=tuple(_steps(row, case, translate)),
        confidence=next(name for least, name in _CONFIDENCE if row.weight >= least),
        explains=tuple(name for name, cause in absorbed.items() if cause == rule.id),
        check=translate(rule.find) if rule.find else "",
    )


def _steps(row: _Suspect, case: Evidence, translate: Translate) -> Iterator[str]:
    system, installers = operating_system(case), case.all("installer")
    values, words = command_values(case, row.values), Placeholders(case, row.values)
    for first in row.rule.steps:
        step: Step | None = first
        if (first.os and system is not None and system not in first.os) or (
            first.installer and installers and not set(first.installer) & set(installers)
        ):
            continue
        while step is not None:
            lines = _step(step, values, words, translate)
            if lines:
                # Where the system is not known, a step for one of them says for which.
                for_one = (
                    []
                    if system or not step.os
                    else [translate(messages.FOR_SYSTEM).format(system=_names(step.os))]
                )
                yield from (*for_one, *lines)
                break
            step = step.otherwise


def _names(systems: tuple[str, ...]) -> str:
    return ", ".join(messages.SYSTEMS[name] for name in systems)


def _step(step: Step, values: Placeholders, words: Placeholders, translate: Translate) -> tuple[str, ...]:
    """The step's lines, none where a value is not known."""
    text = _filled(translate(step.text), words) if step.text else ""
    command = values.for_this_environment(_filled(step.command, values)) if step.command else ""
    if text is None or command is None:
        return ()
    where = translate(messages.WHERE[step.where]) if step.where in messages.WHERE else ""
    sentence = " ".join(part for part in (where, text) if part)
    return tuple(part for part in (sentence, command) if part)


def _filled(template: str, values: Placeholders) -> str | None:
    try:
        return template.format_map(values)
    except KeyError:
        return None
