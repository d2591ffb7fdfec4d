"""The sections of a report as Markdown for an issue, and as one page of HTML."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.report.bug_report import Section

__all__ = ["ISSUE_LIMIT", "as_html", "as_markdown"]

# GitHub takes 65,536 characters; the person has something to say as well.
ISSUE_LIMIT = 58_000
_SECTION_LIMIT = 14_000
_OPEN = ("What this is", "Findings", "What would fit")


def as_markdown(sections: Sequence[Section]) -> str:
    """Sections as code blocks, the long ones folded. No line can end its block: the fence is longer than any run.

    At most `ISSUE_LIMIT` characters; what is left out is counted.
    """
    left = ISSUE_LIMIT
    parts = []
    for section in sections:
        block = _block(section, min(_SECTION_LIMIT, left - 300))
        left -= len(block)
        parts.append(block)
    return "\n".join(parts)


def _block(section: Section, limit: int) -> str:
    body = _within(section.lines, limit)
    ticks = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, ticks + 1)
    block = f"{fence}text\n{body}\n{fence}\n"
    if section.title in _OPEN:
        return f"### {section.title}\n\n{block}"
    return f"<details><summary>{section.title}</summary>\n\n{block}\n</details>\n"


def _within(lines: Sequence[str], limit: int) -> str:
    kept: list[str] = []
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > limit:
            kept.append(f"... and {len(lines) - number} more lines; --format json has them all")
            break
        kept.append(line)
    return "\n".join(kept)


def as_html(sections: Sequence[Section], *, title: str) -> str:
    """One page that loads nothing and runs nothing: its policy allows its own style alone, and all is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (Path(__file__).parent / "templates" / "page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = environment.get_template("bug_report.html.jinja")
    return template.render(sections=sections, title=title, style=style, digest=digest, open=_OPEN)
