"""The one question whose answer tells most about which of the possible causes it is."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.catalogue import all_failures, failures_by_id
from torchdoctor.diagnose.derived import operating_system
from torchdoctor.diagnose.model import Question
from torchdoctor.diagnose.parsers.command_output import output_line
from torchdoctor.diagnose.question_table import ERROR, questions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.model import Diagnosis
    from torchdoctor.diagnose.question_table import QuestionEntry

__all__ = [
    "choose_question",
    "information",
    "is_known",
    "names_an_error",
    "somebody_tells_of_a_failure",
    "something_fails",
]

# How probable a finding is by its confidence, and how much less each one after another.
_PROBABLE = {"certain": 0.97, "likely": 0.85, "possible": 0.5}
_NEXT = 0.9
# How often the answer to the first, the second, the third question of a failure shows that it is this one.
_TELLING = (0.9, 0.6, 0.4)
_FREQUENCIES = {"very common": 4.0, "common": 2.0, "occasional": 1.0, "rare": 0.5}
# What tells something of any failure, where no cause is known.
_GENERAL = ("torch", "gpu", "driver", "python")
_ABOUT_GPU = re.compile(r"\b(?:gpus?|cuda|nvidia|rtx|gtx|rocm|radeon|graphics cards?)\b|显卡", re.ASCII)
_DENIED = re.compile(
    r"\b(?:not|no|nothing|cannot|never|fail\w*|\w+n't|cant|dont|doesnt|wont|isnt|wrong|broken|slow|unable)\b|不|没|无法|失败|慢"
)
_MAX_BETWEEN = 5
# Who tells these wants help with something that fails.
_FAILS = (
    "prose.gpu_unused", "prose.mps_unused", "prose.asks", "prose.unresolved", "prose.notebook_fails",
    "prose.gpu_gone", "prose.one_part_fails", "prose.after_update", "prose.not_importable",
)  # fmt: skip
_MIN_BITS = 0.01
_ERROR = re.compile(
    r"traceback \(most|[a-z_](?:error|exception)\b|\berror\b ?[:\[(]|\berrno\b|winerror|\bfatal\b|\bfailed\b"
    r"|cannot open|cannot be|could not(?! collect)|no module named|undefined symbol|not found|warning:"
    r"|timed out|watchdog|exit(?:ed)? (?:code|status)|segmentation|core dumped|\bkilled\b|错误|失败|异常|报错[:\uff1a]"
)


def choose_question(
    diagnosis: Diagnosis, evidence: Evidence, translate: Callable[[str], str], asked: Collection[str] = ()
) -> Question | None:
    """Return the question that splits what is left best; None if all that could decide is known.

    `asked` are ids of questions that were asked already and not answered.
    """
    system = operating_system(evidence)
    candidates = _candidates(diagnosis)
    lower = evidence.text.lower
    about_gpu = evidence.first("cuda.available") == "false" or (
        _ABOUT_GPU.search(lower) is not None and _DENIED.search(lower) is not None
    )
    if not candidates and ERROR not in asked and not about_gpu and not names_an_error(evidence):
        return Question(id=ERROR, text=translate(questions()[ERROR].text))
    asks = {name: failures_by_id()[name].asks for name in candidates}
    weights = candidates
    if not candidates:
        weights, asks = _usual(system)
    open_questions = [
        (entry, command)
        for entry in questions().values()
        if entry.id not in asked
        and (candidates or entry.id in _GENERAL)
        and (command := entry.command_for(system)) is not None
        and not is_known(entry, evidence)
    ]
    ranked = sorted(
        ((information(entry.id, weights, asks), -index) for index, (entry, _) in enumerate(open_questions)),
        reverse=True,
    )
    if not ranked or ranked[0][0] < _MIN_BITS:
        return None
    entry, command = open_questions[-ranked[0][1]]
    between = tuple(candidates)[:_MAX_BETWEEN]
    return Question(
        id=entry.id,
        text=translate(entry.text),
        command=command,
        between=between,
        decides=tuple(name for name in between if entry.id in asks[name]),
    )


def information(question: str, weights: Mapping[str, float], asks: Mapping[str, tuple[str, ...]]) -> float:
    """Return the bits that the answer to a question tells on average about the cause.

    `weights` are the probabilities of the causes; the rest up to 1 is a cause that no question is about. A cause
    shows itself in the answer to a question that it asks, as often as its place says, or it shows nothing.

    >>> round(information("gpu", {"one": 0.5, "other": 0.5}, {"one": ("gpu",), "other": ("torch",)}), 2)
    0.76
    """
    shows: list[tuple[float, float]] = []
    for name, weight in weights.items():
        if question in asks[name]:
            place = min(asks[name].index(question), len(_TELLING) - 1)
            shows.append((weight, _TELLING[place]))
    nothing = 1 - sum(weight * telling for weight, telling in shows)
    told = sum(_bits(weight * telling) for weight, telling in shows) + _bits(nothing)
    by_chance = sum(weight * (_bits(telling) + _bits(1 - telling)) for weight, telling in shows)
    return told - by_chance


def names_an_error(evidence: Evidence) -> bool:
    """Tell whether the text has a line of an error."""
    return bool(_ERROR.search(evidence.text.lower))


def something_fails(evidence: Evidence) -> bool:
    """Tell whether the text is one of somebody for whom something fails, and no report of torchdoctor's own."""
    if evidence.observations("reported.by"):
        return False
    return somebody_tells_of_a_failure(evidence) or evidence.first("cuda.available") == "false"


def somebody_tells_of_a_failure(evidence: Evidence) -> bool:
    """Tell whether the text has an error, or somebody who tells of one: more than a report of a machine."""
    return any(evidence.observations(name) for name in _FAILS) or names_an_error(evidence)


def _bits(probability: float) -> float:
    return -probability * math.log2(probability) if probability > 0 else 0.0


def _candidates(diagnosis: Diagnosis) -> dict[str, float]:
    """Return the causes with their probabilities, what is left of 1 for none of them."""
    known = failures_by_id()
    found = [
        (finding.id, _PROBABLE[finding.confidence] * _NEXT**place)
        for place, finding in enumerate(diagnosis.in_order)
        if finding.id in known
    ]
    none = math.prod(1 - weight for _, weight in found)
    whole = sum(weight for _, weight in found) + none
    return {name: weight / whole for name, weight in found}


def _usual(system: str | None) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
    """Return how probable each failure is, and what it asks, where nothing is known but the system."""
    failures = [
        failure
        for failure in all_failures()
        if failure.frequency and (system is None or system in failure.os)
    ]
    whole = sum(_FREQUENCIES[failure.frequency or "rare"] for failure in failures)
    weights = {failure.id: _FREQUENCIES[failure.frequency or "rare"] / whole for failure in failures}
    return weights, {failure.id: failure.asks for failure in failures}


def is_known(entry: QuestionEntry, evidence: Evidence) -> bool:
    """Tell whether the text answers the question: by a fact, by words, or by what one of its commands printed."""
    if entry.id == ERROR:
        return names_an_error(evidence)
    facts = bool(entry.facts) and all(
        any(evidence.observations(name) for name in group) for group in entry.facts
    )
    if facts or any(_has(evidence, words) for words in entry.seen):
        return True
    return any(command and output_line(command, evidence) is not None for command in entry.commands.values())


def _has(evidence: Evidence, words: str) -> bool:
    return words in evidence.text.lower
