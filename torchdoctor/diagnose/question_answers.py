"""An answer to a question, as text that is added to the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.question_table import questions

if TYPE_CHECKING:
    from torchdoctor.diagnose.question_table import QuestionEntry

__all__ = ["with_answer"]

_VENDORS = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel", "apple": "Apple"}
_MAX_NAME_CHARACTERS = 80
# The number that a card is called by, whatever stands around it.
_NUMBER = re.compile(
    r"(?<![\w.])\d{3,4}(?: ?(?:ti super|ti|super|xtx|xt|gre))?(?![\w.])", re.IGNORECASE | re.ASCII
)
# Processors and their graphics have numbers too.
_NO_CARD = re.compile(r"intel|iris|\bu?hd\b|ryzen|integrated|核显", re.IGNORECASE)
_NONE = re.compile(
    r"(?:there is |i have )?(?:none|no)(?: gpu| graphics card)?[.!]?|没有(?:独立)?(?:显卡|gpu)?。?",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"(?:i )?(?:don'?t know|do not know|no idea|idk|unknown|not sure|\?+|不知道|不清楚)[.!。]?", re.IGNORECASE
)


def with_answer(text: str, question: str, answer: str, machine: str = "") -> str:
    """Return the text with the answer to the question of that id; "4070" alone is read as the card that it names.

    An answer that says that it is not known adds nothing. `machine` is the one that it is about, in a text of several.
    """
    entry = questions()[question]
    answer = answer.strip()
    if _UNKNOWN.fullmatch(answer):
        return text
    if "\n" not in answer and not _is_read(entry, answer):
        answer = _named_gpu(answer) if question == "gpu" else entry.answer.replace("{answer}", answer)
    heading = f"### {machine}\n" if machine else ""
    return f"{text}\n\n{heading}{answer}\n"


def _is_read(entry: QuestionEntry, answer: str) -> bool:
    """Tell whether the line says by itself what was asked."""
    evidence = parse_report(answer)
    return bool(entry.facts) and all(
        any(evidence.observations(name) for name in group) for group in entry.facts
    )


def _named_gpu(answer: str) -> str:
    from wheels_index.gpu_names import meanings, product

    if _NONE.fullmatch(answer):
        return "The machine does not have a GPU."
    name = answer[:_MAX_NAME_CHARACTERS]
    number = _NUMBER.search(name)
    known = product(name)
    if known is None and number is not None and not _NO_CARD.search(name):
        name = number[0]
        known = product(name)
    if known is None:
        return f"GPU: {answer}"
    target = f"\n{known.gfx}" if known.gfx else ""
    capability = (
        f"\ncompute capability {'.'.join(map(str, known.compute_capability))}"
        if known.compute_capability
        else ""
    )
    return f"GPU: {_VENDORS[known.vendor]} {meanings(name)[0].name}{capability}{target}"
