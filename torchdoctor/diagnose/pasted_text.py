"""The diagnosis of a pasted text alone: of one machine, or of each of several by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.engine import diagnose
from torchdoctor.diagnose.further_evidence import is_certain, with_question
from torchdoctor.diagnose.machines import machines_in
from torchdoctor.diagnose.parsers.parse import parse_report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from torchdoctor.diagnose.model import Diagnosis

__all__ = ["diagnose_text"]


def diagnose_text(
    raw: str, translate: Callable[[str], str] = str, *, asked: Collection[str] = ()
) -> Diagnosis:
    """Return what is wrong, from a pasted report, log or traceback alone; `translate` gives the language of texts.

    Where that is not certain, the result has a question; `asked` are ids of those that nobody could answer. A text of
    several machines is read as of each by itself.
    """
    if machines := machines_in(raw):
        from torchdoctor.diagnose.several_machines import diagnose_machines

        return diagnose_machines(raw, machines, translate, asked)
    evidence = parse_report(raw)
    found = diagnose(evidence, translate)
    if not is_certain(found):
        from torchdoctor.diagnose.like_reports import with_like_reports

        found = with_like_reports(found, evidence, translate)
    return with_question(found, evidence, translate, asked, raw=raw)
