"""A text -> what torchdoctor printed in it, and the rest with as many lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation
from torchdoctor.diagnose.parsers.own.documents import json_documents
from torchdoctor.diagnose.parsers.own.pages import html_pages, markdown_sections
from torchdoctor.diagnose.parsers.own.terminal import terminal_blocks

if TYPE_CHECKING:
    from torchdoctor.diagnose.parsers.own.part import Part

__all__ = ["OwnOutput", "read_own_output"]

# One of these stands in everything that torchdoctor prints.
_NEEDLES = ("torchdoctor", '"schema": 1', '"schema":1', "[", "because", "✓", "` · ")


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnOutput:
    """`rest` is the text without our own output, line for line; `facts` say what that output reports.

    `reported.by` is there if any was found, `reported.checked` if it is a check-up; `reported.finding` and
    `reported.possible` are ids of failures.
    `heads` are lines that describe the machine and its torch, to be read as those of a report.
    """

    rest: str
    facts: tuple[Observation, ...] = ()
    heads: str = ""


def read_own_output(raw: str) -> OwnOutput:
    """Return what torchdoctor printed within a text. It never raises; a text without any stays as it is."""
    if not any(needle in raw for needle in _NEEDLES):
        return OwnOutput(rest=raw)
    lines = raw.replace("\r\n", "\n").split("\n")
    parts: list[Part] = []
    for find in (json_documents, html_pages, markdown_sections, terminal_blocks):
        found = find(lines)
        for part in found:
            for index in part.lines:
                lines[index] = ""
        parts += found
    if not parts:
        return OwnOutput(rest=raw)
    facts = [Observation(name="reported.by", value="torchdoctor", source="torchdoctor", line=1)]
    if any(part.is_check for part in parts):
        facts.append(Observation(name="reported.checked", value="true", source="torchdoctor", line=1))
    for part in parts:
        facts += [
            Observation(name=name, value=identifier, source=shown, line=min(part.lines) + 1)
            for name, identifier, shown in part.findings
        ]
    return OwnOutput(
        rest="\n".join(lines),
        facts=tuple(facts),
        heads="\n".join(line for part in parts for line in part.heads),
    )
