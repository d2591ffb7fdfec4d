"""The diagnosis of a pasted text alone: of one machine, or of each of several by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose import messages
from torchdoctor.diagnose.engine import diagnose
from torchdoctor.diagnose.further_evidence import is_certain, with_question
from torchdoctor.diagnose.parsers.descriptions import describes_change
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.question_choice import something_fails
from torchdoctor.diagnose.text import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from torchdoctor.diagnose.model import Diagnosis

__all__ = ["diagnose_text", "may_be_of_several"]

# Beginnings of programs' reports, and words that name a machine: a text of several has two of one or the other. The
# patterns that tell the machines apart take longer to compile than a short text takes to read.
_REPORTS = ("pytorch version", "nvidia-smi ", "nvsmi log", "transformers` version", "### what this is")
_NAMES = (
    "laptop", "desktop", "workstation", "server", "cluster", "colab", "kaggle", "macbook", "machine", "computer", "pc",
    "system", "box", "env", "setup", "host", "node", "report", "working", "broken", "failing", "works", "fails",
    "mine", "for me",
    "笔记本", "台式机", "服务器", "工作站", "集群", "本地", "本机", "电脑", "机器", "主机", "环境", "节点", "正常",
    "报错", "有问题", "可用", "失败",
)  # fmt: skip


def diagnose_text(
    raw: str, translate: Callable[[str], str] = str, *, asked: Collection[str] = ()
) -> Diagnosis:
    """Return what is wrong, from a pasted report, log or traceback alone; `translate` gives the language of texts.

    Where that is not certain, the result has a question; `asked` are ids of those that nobody could answer. A text of
    several machines is read as of each by itself.
    """
    if may_be_of_several(raw):
        from torchdoctor.diagnose.machines import machines_in

        machines = machines_in(raw)
    else:
        machines = ()
    if machines:
        from torchdoctor.diagnose.several_machines import diagnose_machines

        return _unless_described(diagnose_machines(raw, machines, translate, asked), raw, translate)
    evidence = parse_report(raw)
    found = diagnose(evidence, translate)
    if not evidence.first("reported.by"):
        found = _unless_described(found, raw, translate)
    if is_certain(found) or not something_fails(evidence):
        return with_question(found, evidence, translate, asked, raw=raw)
    from torchdoctor.diagnose.like_reports import with_like_reports
    from torchdoctor.diagnose.symptom_causes import with_symptom_causes

    # The question is about what the rules and likeness name: what only looks alike would draw it away.
    found = with_question(with_like_reports(found, evidence, translate), evidence, translate, asked, raw=raw)
    return found if describes_change(evidence.text) else with_symptom_causes(found, evidence, translate)


def _unless_described(found: Diagnosis, raw: str, translate: Callable[[str], str]) -> Diagnosis:
    """Return the diagnosis; of a text that describes a change or a wish, with possible causes in place of problems."""
    if not found.findings or not describes_change(plain_text(raw)):
        return found
    possible = tuple(replace(finding, confidence="possible") for finding in found.findings)
    return replace(
        found,
        verdict="not-enough-to-tell",
        findings=(),
        possible=(*possible, *found.possible),
        next_steps=(translate(messages.DESCRIBED), *found.next_steps),
    )


def may_be_of_several(raw: str) -> bool:
    """Tell whether a text has two words that can begin what is said of a machine; most reports of one have not."""
    lower = raw.lower()
    if sum(min(lower.count(words), 2) for words in _REPORTS) > 1:
        return True
    if "\n>" in lower or lower.startswith(">"):
        return True
    return sum(min(lower.count(word), 2) for word in _NAMES) > 1
