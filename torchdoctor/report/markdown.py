"""The sections of a bug report as Markdown for an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.visible import visible
from torchdoctor.report.terminal.markdown_text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.report.bug_report_sections import Section

__all__ = ["MAX_ISSUE_LENGTH", "bug_report_markdown"]

# GitHub takes 65,536 characters; the person has something to say as well.
MAX_ISSUE_LENGTH = 58_000  # characters
_MAX_SECTION_LENGTH = 14_000
# Of an issue that is nearly full: what the heading and the fences of a section take.
_FRAME_LENGTH = 300


def bug_report_markdown(sections: Sequence[Section]) -> str:
    """Return the sections as code blocks, the long ones folded. No line can end its block: its fence is too long.

    At most `MAX_ISSUE_LENGTH` characters; what is left out is counted.
    """
    left = MAX_ISSUE_LENGTH
    parts = []
    for section in sections:
        block = _block(section, min(_MAX_SECTION_LENGTH, left - _FRAME_LENGTH))
        left -= len(block)
        parts.append(block)
    return "\n".join(parts)


def _block(section: Section, limit: int) -> str:
    body = visible(_shortened(section.lines, limit))
    ticks = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, ticks + 1)
    block = f"{fence}text\n{body}\n{fence}\n"
    title = plain(section.title)
    if section.is_open:
        return f"### {title}\n\n{block}"
    return f"<details><summary>{title}</summary>\n\n{block}\n</details>\n"


def _shortened(lines: Sequence[str], limit: int) -> str:
    lines_shown: list[str] = []
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > limit:
            lines_shown.append(f"... and {len(lines) - number} more lines; --format json has them all")
            break
        lines_shown.append(line)
    return "\n".join(lines_shown)
