"""Our own bug reports and pages of failures in a text, as Markdown or HTML."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.own.part import FINDING, ID, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["html_pages", "markdown_sections"]

# The sections of a bug report, from bug_report_sections.py.
_TITLES = (
    "What this is", "Findings", "What would fit", "Environment", "Packages", "Imported", "Kernels", "Machine",
    "Settings", "Variables",
)  # fmt: skip
_HEADING = re.compile(
    rf"\s{{0,3}}(?:### |<details[^>]{{0,10}}><summary>)(?P<title>{'|'.join(_TITLES)})(?:</summary>)?\s*$"
)
_FENCE = re.compile(r"\s{0,3}(`{3,20})(?:text)?\s*$")
_MADE_BY = re.compile(r"torchdoctor \d+\.\d+\S{0,20}, \d{4}-\d\d-\d\d")
_FINDING = re.compile(r"(?:error|warning|note) (?P<id>[a-z0-9-]{3,60}): (?P<title>.{1,300})")
_SEEN = "  seen: "
_HTML = re.compile(r"<title>torchdoctor (?:report|bench)", re.IGNORECASE)
_HTML_SECTION = re.compile(
    r"<h2>([^<]{1,40})</h2></summary>\s{0,9}<pre>((?:(?!<pre>).){0,200000}?)</pre>", re.DOTALL
)
# `explain`: the line below the title of a page.
_PAGE = re.compile(r"`[a-z0-9-]{3,60}` · \w{1,10} · ")


def markdown_sections(lines: Sequence[str]) -> list[Part]:
    """Return the bug reports and the pages of failures in a text, as Markdown."""
    parts: list[Part] = []
    index = 0
    while index < len(lines):
        heading = _HEADING.match(lines[index])
        if heading and heading["title"] == _TITLES[0] and any(map(_MADE_BY.match, lines[index : index + 4])):
            end, sections = _sections(lines, index)
            parts.append(_report(range(index, end), sections))
            index = end
        elif _PAGE.match(lines[index]):
            begin = next(
                (n for n in range(index - 1, max(index - 4, -1), -1) if lines[n].startswith("# ")), index
            )
            end = _end_of_page(lines, index)
            parts.append(Part(lines=tuple(range(begin, end))))
            index = end
        else:
            index += 1
    return parts


def html_pages(lines: Sequence[str]) -> list[Part]:
    """Return the bug report or the benchmark of torchdoctor in a text, as HTML."""
    title = next((n for n, line in enumerate(lines) if _HTML.search(line)), None)
    if title is None:
        return []
    begin = next((n for n in range(title, -1, -1) if lines[n].lower().lstrip().startswith("<!doctype")), 0)
    end = next((n for n in range(title, len(lines)) if "</html>" in lines[n]), len(lines) - 1)
    found = _HTML_SECTION.findall("\n".join(lines[begin : end + 1]))
    sections = {name: html.unescape(body).strip("\n").split("\n") for name, body in found}
    return [_report(range(begin, end + 1), sections)]


def _sections(lines: Sequence[str], index: int) -> tuple[int, dict[str, list[str]]]:
    """Return the index after the last section of the report that begins at `index`, and the lines of each."""
    sections: dict[str, list[str]] = {}
    end = index
    while index < len(lines):
        heading = _HEADING.match(lines[index])
        if heading is None:
            if lines[index].strip() in ("", "</details>"):
                index += 1
                continue
            break
        opened = next(
            (n for n in range(index + 1, min(index + 4, len(lines))) if _FENCE.match(lines[n])), None
        )
        if opened is None:
            break
        fence = lines[opened].strip().removesuffix("text")
        closed = next((n for n in range(opened + 1, len(lines)) if lines[n].strip() == fence), len(lines))
        sections[heading["title"]] = list(lines[opened + 1 : closed])
        index = end = min(closed + 1, len(lines))
    while end < len(lines) and lines[end].strip() in ("", "</details>"):
        end += 1
    return end, sections


def _report(lines: range, sections: dict[str, list[str]]) -> Part:
    findings: list[tuple[str, str, str]] = []
    for line in sections.get("Findings", ()):
        if (match := _FINDING.match(line)) and ID.fullmatch(match["id"]):
            findings.append((FINDING, match["id"], match["title"]))
        elif line.startswith(_SEEN) and findings:
            name, identifier, _ = findings[-1]
            findings[-1] = (name, identifier, line.removeprefix(_SEEN))
    heads = tuple(sections.get("What this is", ())[1:])
    return Part(lines=tuple(lines), findings=tuple(findings), heads=heads, is_check="Findings" in sections)


def _end_of_page(lines: Sequence[str], index: int) -> int:
    """Return the index after the page: its links end it, else the failures it is mistaken for, else the text does."""
    end = next((n for n in range(index + 1, len(lines)) if lines[n].startswith("# ")), len(lines))
    links = [n for n in range(index, end) if lines[n].startswith("- <http")]
    mistaken = [n for n in range(index, end) if lines[n].endswith("`.") and "`, `" in lines[n]]
    last = links or mistaken
    return last[-1] + 1 if last else end
