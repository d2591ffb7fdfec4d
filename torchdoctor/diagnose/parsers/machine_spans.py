"""Which parts of a text are of which machine: under a heading, in a sentence, in a column, in a program's report."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.machine_lines import FENCE, MAX_LINE_CHARACTERS, Line, Span, lines_in
from torchdoctor.diagnose.parsers.machine_names import (
    OWN,
    QUOTED,
    NamedPlace,
    heading_name,
    is_of_another,
    places,
    same_names,
)
from torchdoctor.diagnose.parsers.machine_tables import TABLE_ROW, columns_in, end_of_table
from torchdoctor.diagnose.parsers.speakers import is_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["spans_in"]

_HEADING = re.compile(r"[\s>]{0,8}(?:#{1,6}\s|\*\*[^*\n]{2,80}\*\*[:\uff1a]?\s*$|</?details|<summary>)")
_CLAUSE = re.compile(
    r"[.!?;,(](?=\s|$)|[。\uff0c\uff1b\uff01\uff1f]|\b(?:but|while|whereas|however|and)\b|但是?|而"
)
# Programs that report of one machine: the first line of each.
_TOOLS = (
    (
        "collect_env",
        re.compile(r"\W{0,12}collecting environment information|\W{0,12}pytorch version\s{0,30}:"),
    ),
    ("transformers env", re.compile(r"\W{0,12}transformers`? version\s{0,4}:")),
    ("nvidia-smi", re.compile(r"[\s>]{0,8}\|\s{0,4}nvidia-smi\s\S{3,20}\s{1,40}driver version")),
    ("nvidia-smi -q", re.compile(r"[\s>]{0,8}={1,80}\s?nvsmi log")),
    ("torchdoctor", re.compile(r"[\s>]{0,8}### what this is\s{0,40}$")),
)
# The second of the first lines of collect_env, where the first was there.
_BEGUN = re.compile(r"\W{0,12}collecting environment information")
_MAX_LINES_BETWEEN = 14
# A sentence after a report: no key, no path, no list of packages.
_SENTENCE = re.compile(r"[\s>]{0,8}[A-Za-z`'\"]\S{0,20}(?: \S{1,30}){4,}")
_KEY = re.compile(r"[\s>]{0,12}[\w][\w ().,/+-]{0,60}\s{0,40}[:=]|[\s>]{0,12}\[|[\s>]{0,12}[/|+*-]")
_WORD = re.compile(r"[a-z]{0,12}\d{2,4}[a-z]{0,3}")
_QUOTED = re.compile(r"\s{0,4}(?:>|&gt;)")
_CHINESE_SENTENCE = re.compile(r"[\s>]{0,8}[^:\uff1a|]{0,40}[\u4e00-\u9fff]{4}")


def spans_in(raw: str, gpus: Mapping[str, str] | None = None) -> list[Span]:
    """Return the parts of a text that are of one machine, in order and without overlaps; the rest is of all.

    `gpus` are words that only one machine's GPU has in its name, in lower case, each with that machine's name: a
    sentence with one of them is of that machine.
    """
    lines = list(lines_in(raw))
    spans: list[Span] = []
    index = quoted = 0
    while index < len(lines):
        line = lines[index]
        lower = line.lower
        if columns := columns_in(lines, index):
            spans += columns
            index = end_of_table(lines, index)
            continue
        if end := _end_of_quoted_report(lines, index):
            quoted += 1
            title = QUOTED if quoted == 1 else f"{QUOTED} {quoted}"
            spans.append(Span(start=line.start, end=_start_of(lines, end, raw), name=title, tool="quote"))
            index = end
            continue
        name = (
            None
            if line.in_fence or _is_tool(lower)
            else heading_name(_before_colon(lower))
            if lower
            else None
        )
        if name and _is_heading(line):
            end = _end_of_section(lines, index)
            spans.append(Span(start=line.start, end=_start_of(lines, end, raw), name=name))
            index = end
        elif tool := _is_tool(lower):
            end = _end_of_report(lines, index)
            spans.append(Span(start=line.start, end=_start_of(lines, end, raw), name="", tool=tool))
            index = end
        elif not line.in_fence and not is_output(lower):
            end = _end_of_paragraph(lines, index)
            found = list(_sentences(lines[index:end], gpus or {}))
            spans += _until_next(found, _start_of(lines, end, raw))
            index = end
        else:
            index += 1
    known = same_names(span.name for span in spans if span.name)
    return _with_own([replace(span, name=known.get(span.name, "")) for span in spans], raw)


def _with_own(spans: list[Span], raw: str) -> list[Span]:
    """Return the spans with all the rest as the author's machine, where only that of somebody else has a name."""
    named = {span.name for span in spans if span.name} - {OWN}
    reports = any(not span.name for span in spans)
    if len(named) != 1 or reports or not is_of_another(next(iter(named))):
        return [span for span in spans if span.name != OWN]
    others = [span for span in spans if span.name in named]
    ends = [0, *(span.end for span in others)]
    starts = [*(span.start for span in others), len(raw)]
    rest = [
        Span(start=start, end=end, name=OWN, is_sentence=True)
        for start, end in zip(ends, starts, strict=True)
        if raw[start:end].strip()
    ]
    return sorted((*others, *rest), key=lambda span: span.start)


def _start_of(lines: Sequence[Line], index: int, raw: str) -> int:
    return lines[index].start if index < len(lines) else len(raw)


def _is_tool(lower: str) -> str:
    return next((tool for tool, pattern in _TOOLS if pattern.match(lower)), "")


def _before_colon(lower: str) -> str:
    """Return the line, or what stands before its colon where the machine is described on the same line."""
    head, colon, rest = lower.replace("\uff1a", ":").partition(":")
    return lower if not colon or not rest.strip(" *_`") or "<summary>" in head else head


def _is_heading(line: Line) -> bool:
    lower = line.lower
    plain = lower.replace("\uff1a", ":").rstrip(" *_")
    return line.underlined or bool(_HEADING.match(lower)) or ":" in plain


def _end_of_section(lines: Sequence[Line], begin: int) -> int:
    """Return where a section ends that a heading begins: at the next heading, or the next name.

    A line with a name and a description ends with its paragraph.
    """
    first = lines[begin].lower.replace("\uff1a", ":")
    described = not _HEADING.match(first) and bool(first.partition(":")[2].strip(" *_`"))
    if described:
        return _end_of_described(lines, begin)
    for index in range(begin + 1, len(lines)):
        line = lines[index]
        if line.in_fence:
            continue
        lower = line.lower
        is_folded = lower.lstrip(" >").startswith(("<details", "</details", "<summary"))
        if (_HEADING.match(lower) and not is_folded) or _is_machine_heading(lines[index]):
            return index
        if is_folded and _HEADING.match(first) and first.lstrip(" >").startswith("<summary"):
            return index
        if not is_output(lower) and places(lower):
            return index
    return len(lines)


def _end_of_described(lines: Sequence[Line], begin: int) -> int:
    for index in range(begin + 1, len(lines)):
        lower = lines[index].lower
        if not lower.strip() or (not lines[index].in_fence and _is_machine_heading(lines[index])):
            return index
        if _HEADING.match(lower) or FENCE.match(lower):
            return index
    return len(lines)


def _is_machine_heading(line: Line) -> bool:
    lower = line.lower
    return bool(lower.strip()) and _is_heading(line) and heading_name(_before_colon(lower)) is not None


def _end_of_report(lines: Sequence[Line], begin: int) -> int:
    """Return where a program's report ends: at its fence, a heading, the next report, or a sentence."""
    tool, in_fence = _is_tool(lines[begin].lower), lines[begin].in_fence
    begun = bool(_BEGUN.match(lines[begin].lower))
    for index in range(begin + 1, len(lines)):
        line = lines[index]
        lower = line.lower
        if in_fence and not line.in_fence:
            return index
        if other := _is_tool(lower):
            is_its_own = (
                begun and other == tool and not _BEGUN.match(lower) and index - begin <= _MAX_LINES_BETWEEN
            )
            if not is_its_own:
                return index
        if in_fence:
            continue
        if _HEADING.match(lower) or _is_machine_heading(lines[index]):
            return index
        table = tool == "nvidia-smi"
        ends_table = table and lower.strip() and lower.lstrip(" >")[:1] not in "|+="
        if ends_table or (not table and _is_sentence(line.text)):
            return index
    return len(lines)


def _end_of_quoted_report(lines: Sequence[Line], begin: int) -> int:
    """Return where a quote ends that has a program's report in it, and is not the whole text; else 0."""
    if not _QUOTED.match(lines[begin].text) or (begin and _QUOTED.match(lines[begin - 1].text)):
        return 0
    end = begin
    while end < len(lines) and _QUOTED.match(lines[end].text):
        end += 1
    unquoted = (line.lower.lstrip(" >") for line in lines[begin:end])
    has_report = any(_is_tool(lower) for lower in unquoted)
    is_all = not any(line.text.strip() for line in (*lines[:begin], *lines[end:]))
    return end if has_report and not is_all else 0


def _is_sentence(text: str) -> bool:
    text = text[:MAX_LINE_CHARACTERS]
    if _KEY.match(text):
        return False
    return bool(_SENTENCE.match(text) or _CHINESE_SENTENCE.match(text))


def _end_of_paragraph(lines: Sequence[Line], begin: int) -> int:
    """Return where the paragraph ends; one that ends with a colon goes on over what it announces."""
    index = begin + 1
    while index < len(lines):
        lower = lines[index].lower
        if not lower.strip() or FENCE.match(lower) or _is_tool(lower) or _HEADING.match(lower):
            break
        if _is_machine_heading(lines[index]) or TABLE_ROW.match(lower):
            break
        index += 1
    last = lines[index - 1].text[-8:].rstrip(" *_")
    if not last.endswith((":", "\uff1a")) or not any(
        True for line in lines[begin:index] for _ in places(line.lower)
    ):
        return index
    return _end_of_announced(lines, index)


def _end_of_announced(lines: Sequence[Line], begin: int) -> int:
    """Return where ends what a colon announces: a block in a fence, a program's report, or the next paragraph."""
    index = begin
    while index < len(lines) and not lines[index].text.strip():
        index += 1
    if index < len(lines) and FENCE.match(lines[index].text):
        index += 1
        while index < len(lines) and lines[index].in_fence:
            index += 1
        return min(index + 1, len(lines))
    if index < len(lines) and _is_tool(lines[index].lower):
        return _end_of_report(lines, index)
    while index < len(lines) and lines[index].text.strip() and not _HEADING.match(lines[index].lower):
        index += 1
    return index


def _sentences(lines: Sequence[Line], gpus: Mapping[str, str]) -> Iterator[Span]:
    """Yield the beginning of each clause that names a machine, or its GPU."""
    for line in lines:
        lower = line.lower
        if is_output(lower):
            continue
        last = 0
        by_gpu = [
            NamedPlace(match.start(), gpus[match[0]])
            for match in (_WORD.finditer(lower) if gpus else ())
            if match[0] in gpus
        ]
        for place in sorted((*places(lower), *by_gpu)):
            clauses = [match.end() for match in _CLAUSE.finditer(lower, last, place.start)]
            start = clauses[-1] if clauses else last
            yield Span(
                start=line.start + start, end=line.start + place.start, name=place.name, is_sentence=True
            )
            last = place.start


def _until_next(spans: Sequence[Span], end: int) -> list[Span]:
    """Let each clause go on until another machine is named."""
    result: list[Span] = []
    for span in spans:
        if result and result[-1].name == span.name:
            continue
        if result:
            result[-1] = replace(result[-1], end=span.start)
        result.append(replace(span, end=end))
    return result
