"""The machines of a text that describes several: what each has of the text, so that no fact of one meets another's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Evidence
from torchdoctor.diagnose.parsers.machine_facts import TELLING, clashes, shares, without_foreign
from torchdoctor.diagnose.parsers.machine_names import QUOTED
from torchdoctor.diagnose.parsers.machine_spans import spans_in
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.parsers.speakers import is_documentation
from torchdoctor.diagnose.text import blanked, plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.diagnose.parsers.machine_lines import Span

__all__ = ["MachineText", "machines_in"]

_MAX_CHARACTERS = 200_000  # a longer text is read as of one machine
_MAX_SPANS = 40
_MAX_MACHINES = 8
# A100, 4090, H20, 2080: with at least two digits, and no memory such as 80GB.
_GPU_WORD = re.compile(r"\b(?!\d{1,4}gb\b)[a-z]{0,12}\d{2,4}[a-z]{0,3}\b")
# What a sentence says of a machine without a version: it works there, it fails there.
_WORKS = re.compile(
    r"\b(?:works?|worked|working|fine|ok|okay|no (?:problems?|errors?|issues?)|runs?|succeeds?|true)\b"
    r"|正常|可以|没问题|没有问题|能跑|能用|成功"
)
_FAILS = re.compile(
    r"\b(?:fails?|failed|failing|errors?|crash\w*|hangs?|broken|not work\w*|doesn'?t|don'?t|can'?t|cannot"
    r"|false|get|got|unable)\b"
    r"|报错|不行|失败|出错|不能|无法|不可用|卡住|没有(?!问题)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineText:
    """One machine of a text: its name, the line where it begins, and what the text says of it.

    `evidence` is what is said of this machine, with what is said of no one of them; `common` is the latter alone.
    `fails` if the text says of it, and not of all, that something fails there.
    """

    name: str
    line: int
    text: str
    evidence: Evidence
    common: Evidence
    fails: bool = False


@dataclass(slots=True)
class _Group:
    name: str
    spans: list[Span]
    evidence: Evidence


def machines_in(raw: str) -> tuple[MachineText, ...]:
    """Return the machines that a text tells apart, in their order; none where it is of one machine."""
    raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    if len(raw) > _MAX_CHARACTERS:
        return ()
    spans = spans_in(raw)[:_MAX_SPANS]
    if len(spans) < 2 or is_documentation(plain_text(raw)):  # noqa: PLR2004
        return ()
    groups = _groups(raw, spans)
    if gpus := _words_of_gpus(groups):
        # The names and the reports are known: a sentence that names a GPU is of the machine that has it.
        groups = _groups(raw, spans_in(raw, gpus)[:_MAX_SPANS])
    groups = _telling([group for group in groups if _describes(group, raw)])
    if not _are_several(groups, raw):
        return ()
    groups = sorted(groups, key=lambda group: group.spans[0].start)[:_MAX_MACHINES]
    return _with_texts(raw, groups)


def _words_of_gpus(groups: Sequence[_Group]) -> dict[str, str]:
    """Return the words with numbers that only one machine's GPUs have in their names."""
    if len(groups) < 2:  # noqa: PLR2004
        return {}
    words: dict[str, set[str]] = {}
    for group in groups:
        for gpu in group.evidence.all("nvidia.gpu"):
            for word in _GPU_WORD.findall(gpu.lower()):
                words.setdefault(word, set()).add(group.name)
    return {word: names.pop() for word, names in words.items() if len(names) == 1}


def _groups(raw: str, spans: Sequence[Span]) -> list[_Group]:
    """Return the spans of each machine: those of one name, and each report with the machine that it fits."""
    groups: list[_Group] = []
    for span in spans:
        if span.name:
            same = next((group for group in groups if group.name == span.name), None)
            if same:
                same.spans.append(span)
            else:
                groups.append(_Group(span.name, [span], Evidence()))
    for group in groups:
        group.evidence = parse_report(_text_of(raw, group.spans))
    number = 0
    for span in spans:
        if span.name:
            continue
        said = parse_report(raw[span.start : span.end])
        own = _owner(span, said, groups)
        if own is None:
            number += 1
            # Lower case as the other names: a heading of that name leads here, as an answer to a question has it.
            name = f"report {number}"
            own = next((group for group in groups if group.name == name), None)
            if own is None:
                own = _Group(name, [], Evidence())
                groups.append(own)
        own.spans.append(span)
        own.evidence = own.evidence.merged_with(said)
    return groups


def _owner(span: Span, said: Evidence, groups: Sequence[_Group]) -> _Group | None:
    """Return the machine that a report without a name is of, or None for one more machine."""
    fitting = [
        group for group in groups if not clashes(group.evidence, said) and _may_have(group, span, said)
    ]
    best = max(fitting, key=lambda group: shares(group.evidence, said), default=None)
    if best is None or shares(best.evidence, said):
        return best
    # Nothing in common: that of the only one that it fits, and that says nothing of its own.
    named = [group for group in groups if not group.name.startswith("report ")]
    return (
        best
        if len(fitting) == 1 and len(groups) > 1 and best in named
        else _latest_of_another_tool(fitting, span)
    )


def _may_have(group: _Group, span: Span, said: Evidence) -> bool:
    """Tell whether the machine can have this report as well: the same report again says the same."""
    again = any(other.tool == span.tool for other in group.spans)
    return not again or all(
        not said.all(name)
        or not group.evidence.all(name)
        or set(said.all(name)) & set(group.evidence.all(name))
        for name in TELLING
    )


def _latest_of_another_tool(fitting: Sequence[_Group], span: Span) -> _Group | None:
    others = [group for group in fitting if all(other.tool != span.tool for other in group.spans)]
    return others[-1] if others and all(span.start >= other.start for other in others[-1].spans) else None


def _describes(group: _Group, raw: str) -> bool:
    """Tell whether anything is said of the machine: a fact of it, or that something works or fails there."""
    if any(group.evidence.observations(name) for name in TELLING):
        return True
    said = _text_of(raw, group.spans).lower()
    return bool(_WORKS.search(said) or _FAILS.search(said))


def _telling(groups: list[_Group]) -> list[_Group]:
    """Return the machines with facts, where two have some: another one that is only mentioned has nothing to find."""
    with_facts = [group for group in groups if any(group.evidence.observations(name) for name in TELLING)]
    return with_facts if len(with_facts) > 1 else groups


def _are_several(groups: Sequence[_Group], raw: str) -> bool:
    """Tell whether the machines differ in a fact, or one of them works and another one fails."""
    pairs = [(one, other) for index, one in enumerate(groups) for other in groups[index + 1 :]]
    if any(clashes(one.evidence, other.evidence) or _differ(one, other) for one, other in pairs):
        return True
    with_facts = [group for group in groups if any(group.evidence.observations(name) for name in TELLING)]
    if not with_facts or len(groups) < 2:  # noqa: PLR2004
        return False
    works = [group for group in groups if _says(group, raw, _WORKS) and not _says(group, raw, _FAILS)]
    fails = [group for group in groups if _says(group, raw, _FAILS)]
    return bool(works and fails)


def _differ(one: _Group, other: _Group) -> bool:
    """Tell whether a fact that both state differs: whether torch sees the GPU, which build it is."""
    return any(
        one.evidence.all(name)
        and other.evidence.all(name)
        and not set(one.evidence.all(name)) & set(other.evidence.all(name))
        for name in ("torch.build", "cuda.available")
    )


def _says(group: _Group, raw: str, pattern: re.Pattern[str]) -> bool:
    return pattern.search(_text_of(raw, group.spans).lower()) is not None


def _text_of(raw: str, spans: Sequence[Span]) -> str:
    return "\n".join(raw[span.start : span.end] for span in spans)


def _with_texts(raw: str, groups: Sequence[_Group]) -> tuple[MachineText, ...]:
    spans = sorted(
        ((span.start, span.end, index) for index, group in enumerate(groups) for span in group.spans)
    )
    common = parse_report(_kept(raw, spans, None))
    of_common = {(fact.name, fact.value, fact.line) for fact in common.facts}
    machines: list[MachineText] = []
    for index, group in enumerate(groups):
        text = _kept(raw, spans, index)
        # Who quotes the report of somebody else speaks of the own machine in the rest.
        others = [
            other.evidence
            for other in groups
            if other is not group and (len(groups) > 2 or not other.name.startswith(QUOTED))  # noqa: PLR2004
        ]
        read = parse_report(text)
        shared = [fact for fact in read.facts if (fact.name, fact.value, fact.line) in of_common]
        fitting = frozenset(without_foreign(shared, group.evidence, others))
        facts = tuple(
            fact
            for fact in read.facts
            if (fact.name, fact.value, fact.line) not in of_common or fact in fitting
        )
        machines.append(
            MachineText(
                name=group.name,
                line=raw.count("\n", 0, group.spans[0].start) + 1,
                text=text,
                evidence=replace(read, facts=facts),
                common=common,
                fails=_says(group, raw, _FAILS),
            )
        )
    return tuple(machines)


def _kept(raw: str, spans: Sequence[tuple[int, int, int]], index: int | None) -> str:
    """Return the text with blanks for the parts of the other machines; of all machines for None."""
    parts: list[str] = []
    position = 0
    for start, end, owner in spans:
        if owner != index:
            parts += [raw[position:start], blanked(raw[start:end])]
            position = end
    return "".join([*parts, raw[position:]])
