"""Possible causes by the symptom: what looks like it most often, where the rules leave the cause open.

A post may show no word of its cause. What it shows has a few usual causes all the same; they are added to the possible
ones, behind those of the rules, and never claimed.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torchdoctor.diagnose.catalogue import condition_predicate, failures_by_id
from torchdoctor.diagnose.compiled_data import DataFileError, load_compiled, parse_toml
from torchdoctor.diagnose.confirmation import how_to_confirm
from torchdoctor.diagnose.derived import operating_system
from torchdoctor.diagnose.failure_format import FormatError, read_condition
from torchdoctor.diagnose.model import Finding
from torchdoctor.diagnose.parsers.speakers import states_a_value
from torchdoctor.diagnose.question_choice import somebody_tells_of_a_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.matchers import Match, Predicate
    from torchdoctor.diagnose.model import Diagnosis

__all__ = ["compile_symptoms", "with_symptom_causes"]

_FILE = Path(__file__).with_name("symptoms.toml")
_MAX_CAUSES = 3  # of the rules, of likeness and of symptoms together


# Whoever wishes for something, has no GPU for torch, or asks about another program looks for no cause.
_NO_FAILURE = {
    "any": [
        "other-program", "without-nvidia-gpu",
        {"fact": "prose.wish"}, {"fact": "prose.gpu_works"}, {"fact": "prose.no_gpu"},
    ]
}  # fmt: skip


_FAILURE = re.compile(r"error|exception|fail|cannot|could not|not |no |unable|warning|[\u4e00-\u9fff]")


class _Symptom(NamedTuple):
    when: Predicate
    causes: tuple[str, ...]


def with_symptom_causes(
    diagnosis: Diagnosis, evidence: Evidence, translate: Callable[[str], str]
) -> Diagnosis:
    """Return the diagnosis with possible causes by what the text shows, until it has three."""
    room = _MAX_CAUSES - len(diagnosis.in_order)
    if room <= 0 or not somebody_tells_of_a_failure(evidence) or _no_failure()(evidence) is not None:
        return diagnosis
    known = {name for one in diagnosis.in_order for name in (one.id, *one.explains)}
    added: dict[str, Finding] = {}
    for name, match in _candidates(evidence):
        if len(added) < room and name not in known and name not in added:
            added[name] = _cause(name, match, evidence, translate)
    return replace(diagnosis, possible=(*diagnosis.possible, *added.values()))


def compile_symptoms(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file. Raises DataFileError, which names the row."""
    rows = []
    for index, row in enumerate(parse_toml(path)["symptom"]):
        try:
            rows.append(
                {"when": read_condition(row["when"]), "causes": [str(name) for name in row["causes"]]}
            )
        except (KeyError, FormatError) as error:
            raise DataFileError(f"{path.name}: symptom[{index}]: {error}") from None
    return rows


@functools.cache
def _no_failure() -> Predicate:
    return condition_predicate(_NO_FAILURE)


@functools.cache
def _symptoms() -> tuple[_Symptom, ...]:
    rows = load_compiled(_FILE, compile_symptoms)
    return tuple(_Symptom(condition_predicate(row["when"]), tuple(row["causes"])) for row in rows)


def _candidates(evidence: Evidence) -> Iterator[tuple[str, Match]]:
    """Yield causes that the facts do not exclude: of each symptom in turn, each with what shows it."""
    failures, system = failures_by_id(), operating_system(evidence)
    for symptom in _symptoms():
        match = symptom.when(evidence)
        if match is None or not match.evidence or _is_of_a_report(match.evidence[0].lower()):
            continue
        for name in symptom.causes:
            failure = failures[name]
            excluded = any(sign.matches(evidence) is not None for sign in failure.unless)
            if not excluded and (not system or system in failure.os):
                yield name, match


def _is_of_a_report(line: str) -> bool:
    """Whether the line is a row of a report: what it states is of the machine, and no symptom by itself."""
    return states_a_value(line) and not _FAILURE.search(line)


def _cause(name: str, match: Match, evidence: Evidence, translate: Callable[[str], str]) -> Finding:
    failure = failures_by_id()[name]
    return Finding(
        id=name,
        severity=failure.severity,
        title=translate(failure.title),
        evidence=match.evidence[:1],
        explanation=translate(failure.explanation),
        fix=(),
        confidence="possible",
        check=how_to_confirm(failure, evidence, translate),
    )
