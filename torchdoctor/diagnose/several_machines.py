"""The diagnosis of a text of several machines: each by itself, and each finding with the machines that show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.diagnose.engine import diagnose
from torchdoctor.diagnose.further_evidence import is_certain, with_question
from torchdoctor.diagnose.like_reports import with_like_reports
from torchdoctor.diagnose.model import Diagnosis, SeenMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.machines import MachineText
    from torchdoctor.diagnose.model import Confidence, Finding, Verdict

    Judged = tuple[MachineText, Diagnosis]

__all__ = ["diagnose_machines", "joined_diagnosis"]

_CONFIDENCES: tuple[Confidence, ...] = ("certain", "likely", "possible")
_SEVERITIES = ("error", "warning", "note")
# What is wrong with a CPU build is of no machine that has another one.
_OF_CPU_BUILDS = frozenset(("cpu-only-wheel", "conda-solver-chose-cpu"))


def diagnose_machines(
    raw: str,
    machines: Sequence[MachineText],
    translate: Callable[[str], str],
    asked: Collection[str] = (),
) -> Diagnosis:
    """Return what is wrong on each of the machines of a text; `asked` are ids of questions that nobody could answer."""
    judged = [(machine, _judged(machine.evidence, translate)) for machine in machines]
    return joined_diagnosis(raw, judged, translate, asked)


def joined_diagnosis(
    raw: str,
    judged: Sequence[Judged],
    translate: Callable[[str], str],
    asked: Collection[str] = (),
    *,
    here: MachineText | None = None,
) -> Diagnosis:
    """Return one diagnosis from that of each machine, with the question about the one that it is most about.

    `here` is the machine of the text that this program runs on, if it is one of them.
    """
    said_of_all = {finding.id: finding for finding in _judged(judged[0][0].common, translate).in_order}
    findings = _joined_findings([(m, f) for m, one in judged for f in one.findings], said_of_all, len(judged))
    proven = {finding.id for finding in findings}
    possible = _joined_findings(
        [(m, f) for m, one in judged for f in one.possible if f.id not in proven], said_of_all, len(judged)
    )
    checked = [(machine, text) for machine, one in judged for text in one.checked]
    found = Diagnosis(
        verdict=_verdict(judged, findings),
        findings=findings,
        possible=possible,
        machines=tuple(
            SeenMachine(name=machine.name, line=machine.line, checked=one.checked) for machine, one in judged
        ),
        checked=tuple(
            message("{machine}: {what}", machine=machine.name, what=text) for machine, text in checked
        ),
        left_out=max(one.left_out for _, one in judged),
    )
    if is_certain(found):
        return found
    about = _asked_about(found, judged)
    answer = with_question(found, about.evidence, translate, asked, raw=raw, here=about is here)
    question = replace(answer.question, machine=about.name) if answer.question else None
    return replace(answer, question=question)


def _judged(evidence: Evidence, translate: Callable[[str], str]) -> Diagnosis:
    found = diagnose(evidence, translate)
    found = found if is_certain(found) else with_like_reports(found, evidence, translate)
    return _without_other_builds(found, evidence)


def _without_other_builds(found: Diagnosis, evidence: Evidence) -> Diagnosis:
    """Return the diagnosis without what only a CPU build has, where the machine is known to have another one."""
    builds = evidence.all("torch.build")
    if not builds or "cpu" in builds:
        return found
    return replace(
        found,
        findings=tuple(finding for finding in found.findings if finding.id not in _OF_CPU_BUILDS),
        possible=tuple(finding for finding in found.possible if finding.id not in _OF_CPU_BUILDS),
    )


def _joined_findings(
    found: Sequence[tuple[MachineText, Finding]], said_of_all: Mapping[str, Finding], count: int
) -> tuple[Finding, ...]:
    """Return the findings in their order, those that say the same of several machines as one.

    What every machine shows, and the text shows as surely without any of them, is of no one of them.
    """
    names = Counter(name for name, _ in {(finding.id, machine.name) for machine, finding in found})
    surer = {finding.id for _, finding in found if _is_surer(finding, said_of_all.get(finding.id))}
    of_none = {
        name
        for name, number in names.items()
        if number == count and name in said_of_all and name not in surer
    }
    accounted = {(line, machine.name) for machine, finding in found for line in _certain_lines(finding)}
    rows: list[tuple[Finding, list[str]]] = [(said_of_all[name], []) for name in names if name in of_none]
    for machine, finding in found:
        if finding.id in of_none or _is_of_another(finding, machine, accounted):
            continue
        same = next((index for index, (row, _) in enumerate(rows) if _say_the_same(row, finding)), None)
        if same is None:
            rows.append((finding, [machine.name]))
            continue
        row, machines = rows[same]
        evidence = tuple(dict.fromkeys((*row.evidence, *finding.evidence)))
        rows[same] = (replace(row, evidence=evidence), [*machines, machine.name])
    return tuple(sorted((replace(row, machines=tuple(machines)) for row, machines in rows), key=_order))


def _is_surer(one: Finding, other: Finding | None) -> bool:
    return other is not None and _CONFIDENCES.index(one.confidence) < _CONFIDENCES.index(other.confidence)


def _certain_lines(finding: Finding) -> tuple[str, ...]:
    return finding.evidence if finding.confidence == "certain" else ()


def _is_of_another(finding: Finding, machine: MachineText, accounted: Collection[tuple[str, str]]) -> bool:
    """Tell whether what a finding rests on shows for certain what is wrong on another machine."""
    return finding.confidence != "certain" and any(
        line in finding.evidence and name != machine.name for line, name in accounted
    )


def _say_the_same(one: Finding, other: Finding) -> bool:
    return (one.id, one.confidence, one.explanation, one.fix) == (
        other.id,
        other.confidence,
        other.explanation,
        other.fix,
    )


def _order(finding: Finding) -> tuple[int, int]:
    return _CONFIDENCES.index(finding.confidence), _SEVERITIES.index(finding.severity)


def _verdict(judged: Sequence[Judged], findings: Sequence[Finding]) -> Verdict:
    if findings:
        return "problems-found"
    nothing_wrong = all(one.verdict == "nothing-wrong-found" for _, one in judged)
    return "nothing-wrong-found" if nothing_wrong else "not-enough-to-tell"


def _asked_about(found: Diagnosis, judged: Sequence[Judged]) -> MachineText:
    """Return the machine that the question is about: that of the first finding, else the first that may be wrong.

    Of several, the one of which the text says that it fails.
    """
    named = [(name, finding.confidence) for finding in found.in_order for name in finding.machines]
    first = {name for name, confidence in named if confidence == named[0][1]}
    open_ones = [machine for machine, one in judged if one.verdict != "nothing-wrong-found"]
    may_be = [machine for machine, _ in judged if machine.name in first] or open_ones or [judged[0][0]]
    return next((machine for machine in may_be if machine.fails), None) or next(
        (machine for machine in may_be if named and machine.name == named[0][0]), may_be[0]
    )
