"""An answer to a question, as text that is added to the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.question_table import questions

if TYPE_CHECKING:
    from torchdoctor.diagnose.question_table import QuestionEntry

__all__ = ["with_answer"]

_VENDORS = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
# First digits of the numbers of GeForce RTX cards; lower ones are GTX.
_RTX = "2345"
_MAX_NAME_CHARACTERS = 80


def with_answer(text: str, question: str, answer: str) -> str:
    """Return the text with the answer to the question of that id; "4070" alone is read as the card that it names."""
    entry = questions()[question]
    answer = answer.strip()
    if "\n" not in answer and not _is_read(entry, answer):
        answer = _named_gpu(answer) if question == "gpu" else entry.answer.replace("{answer}", answer)
    return f"{text}\n\n{answer}\n"


def _is_read(entry: QuestionEntry, answer: str) -> bool:
    """Tell whether the line says by itself what was asked."""
    evidence = parse_report(answer)
    return bool(entry.facts) and all(
        any(evidence.observations(name) for name in group) for group in entry.facts
    )


def _named_gpu(answer: str) -> str:
    from wheels_index.gpu_names import product

    name = re.sub(r"(?i)^(?:an?|my|the|one|two|\d ?x) |[.!]$", "", answer)[:_MAX_NAME_CHARACTERS]
    known = product(name)
    if known is None:
        return f"GPU: {answer}"
    target = f"\n{known.gfx}" if known.gfx else ""
    capability = (
        f"\ncompute capability {'.'.join(map(str, known.compute_capability))}"
        if known.compute_capability
        else ""
    )
    vendor, series = _VENDORS.get(known.vendor, ""), ""
    if known.vendor == "nvidia" and name[:1].isdigit():
        series = "GeForce RTX " if name[0] in _RTX else "GeForce GTX "
    return f"GPU: {vendor} {series}{known.name}{capability}{target}"
