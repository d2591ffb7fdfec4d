"""What an answer that is not certain says besides: the question that decides, and where more evidence is found."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose import messages
from torchdoctor.diagnose.question_choice import choose_question
from torchdoctor.diagnose.text import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.model import Diagnosis

__all__ = ["is_certain", "with_question"]

# Words of every report of collect_env: who gave one is not asked for one.
_COLLECTED = ("collecting environment information", "versions of relevant libraries", "used to build pytorch")

_TOLD = (
    ("torch.version",), ("torch.build", "torch.cuda", "torch.hip"), ("os.name", "os.system"), ("python.version",),
    ("nvidia.gpu", "nvidia.capability", "amd.gpu", "amd.gfx", "intel.gpu", "chip"),
)  # fmt: skip

# A picture of a post: Markdown's, HTML's, the sites that trackers upload to, or a file's name.
_PICTURE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(|<img\b|github\.com/user-attachments/assets/|user-images\.githubusercontent\.com"
    r"|\bscreen ?shot\b[^\n]{0,60}\.(?:png|jpe?g|webp)\b|截图[^\n]{0,60}\.(?:png|jpe?g|webp)\b",
    re.IGNORECASE,
)


def is_certain(diagnosis: Diagnosis) -> bool:
    """Tell whether nothing is left to ask: the first finding is certain, or nothing is wrong."""
    if diagnosis.verdict == "nothing-wrong-found":
        return True
    return bool(diagnosis.findings) and diagnosis.findings[0].confidence == "certain"


def with_question(
    diagnosis: Diagnosis,
    evidence: Evidence,
    translate: Callable[[str], str],
    asked: Collection[str] = (),
    *,
    raw: str = "",
    here: bool = False,
) -> Diagnosis:
    """Return the diagnosis with the question and the next steps, if it is not certain; `raw` is the text as given.

    `here`: the evidence is of this machine too, so that nobody is sent to it.
    """
    if is_certain(diagnosis):
        return diagnosis
    question = choose_question(diagnosis, evidence, translate, asked)
    steps = tuple(map(translate, _steps(diagnosis, evidence, raw, here=here)))
    return replace(diagnosis, question=question, next_steps=(*diagnosis.next_steps, *steps))


def _is_collected(evidence: Evidence) -> bool:
    """Tell whether the text has such a report, or what it says: torch, its build, the system, Python and the GPU."""
    if any(words in evidence.text.lower for words in _COLLECTED):
        return True
    return all(any(evidence.observations(name) for name in group) for group in _TOLD)


def _steps(diagnosis: Diagnosis, evidence: Evidence, raw: str, *, here: bool) -> Iterator[str]:
    if not here and not diagnosis.in_order and not _is_collected(evidence):
        yield messages.COLLECT
    if _PICTURE.search(raw[:LIMIT]):
        yield messages.PICTURES
    if not here:
        yield messages.ON_THE_MACHINE
