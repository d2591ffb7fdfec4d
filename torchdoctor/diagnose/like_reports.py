"""Possible causes by likeness: what reports that share words with the text were about, where the rules leave room.

Likeness is never a claim: it adds to the possible causes alone, behind those of the rules, with the words as evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.diagnose.catalogue import failures_by_id
from torchdoctor.diagnose.confirmation import how_to_confirm
from torchdoctor.diagnose.derived import operating_system
from torchdoctor.diagnose.likeness_table import HEALTHY, shipped_table
from torchdoctor.diagnose.model import Finding
from torchdoctor.diagnose.question_choice import something_fails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.failure import Failure
    from torchdoctor.diagnose.likeness_table import Likeness, LikenessTable
    from torchdoctor.diagnose.model import Diagnosis

__all__ = ["with_like_reports"]

# Where the rules name more than one cause, there is no room; so many are added at most.
_MAX_CAUSES_OF_RULES, _MAX_ADDED = 1, 2
# How like the text must be at least, against the most like failure, and against machines that work.
_MIN_SCORE, _MIN_OF_BEST, _MIN_OVER_HEALTHY = 0.25, 0.6, 1.25
_MIN_WORDS = 2
# How many reports, and which part of all that have the word, are of the failure.
_MIN_REPORTS, _MIN_SHARE = 2, 0.3


def with_like_reports(
    diagnosis: Diagnosis,
    evidence: Evidence,
    translate: Callable[[str], str],
    table: LikenessTable | None = None,
    without: Sequence[tuple[str, Sequence[str]]] = (),
) -> Diagnosis:
    """Return the diagnosis with possible causes by likeness, if it has no problem and one cause at most.

    `table` is the one of the package if not given; `without` are texts of it that do not count.
    """
    if diagnosis.verdict != "not-enough-to-tell" or len(diagnosis.possible) > _MAX_CAUSES_OF_RULES:
        return diagnosis
    if not something_fails(evidence):
        return diagnosis
    found = (shipped_table() if table is None else table).like(evidence.text.flat, without)
    known = {finding.id for finding in diagnosis.possible}
    table = shipped_table() if table is None else table
    added = [one for one in _like(found, evidence) if one.failure not in known and _tells(one, table)][
        :_MAX_ADDED
    ]
    causes = tuple(_cause(one, failures_by_id()[one.failure], evidence, translate) for one in added)
    return replace(diagnosis, possible=(*diagnosis.possible, *causes))


def _like(found: Sequence[Likeness], evidence: Evidence) -> Iterator[Likeness]:
    """Yield the failures that the text is like enough to, and that its facts do not exclude."""
    healthy = next((one.score for one in found if one.failure.startswith(HEALTHY)), 0.0)
    best = next((one.score for one in found if not one.failure.startswith(HEALTHY)), 0.0)
    least = max(_MIN_SCORE, _MIN_OF_BEST * best, _MIN_OVER_HEALTHY * healthy)
    system, failures = operating_system(evidence), failures_by_id()
    for one in found:
        if one.score < least:
            return
        failure = failures.get(one.failure)
        if failure is None or len(one.words) < _MIN_WORDS or (system and system not in failure.os):
            continue
        if not any(sign.matches(evidence) is not None for sign in failure.unless):
            yield one


def _tells(one: Likeness, table: LikenessTable) -> bool:
    """Tell whether one of the words is mostly of this failure: those that every report has say nothing."""
    counted = [table.counts[word] for word in one.words if word in table.counts]
    return any(
        counts.get(one.failure, 0) >= max(_MIN_REPORTS, _MIN_SHARE * sum(counts.values()))
        for counts in counted
    )


def _cause(one: Likeness, failure: Failure, evidence: Evidence, translate: Callable[[str], str]) -> Finding:
    words = joined([f'"{word}"' for word in one.words])
    return Finding(
        id=failure.id,
        severity=failure.severity,
        title=translate(failure.title),
        evidence=(message("reports of this have these words in common with the text: {words}", words=words),),
        explanation=translate(failure.explanation),
        fix=(),
        confidence="possible",
        check=how_to_confirm(failure, evidence, translate),
    )
