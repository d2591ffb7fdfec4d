"""What torchdoctor printed on a terminal, in a text: check-ups, verifications, findings, plans, benchmarks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.parsers.own.part import FINDING, POSSIBLE, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["terminal_blocks"]

# A finding: its mark, its title, and its id in brackets.
_FINDING = re.compile(
    r"\s{0,4}(?P<mark>[✗!·?]|x|-) (?P<title>\S.{2,200}?)  "
    r"\[(?P<id>[a-z0-9]+(?:-[a-z0-9]+){1,8})(?:[,\uff0c] ?\S{1,12})?\]\s*$"
)
_SEEN = re.compile(r"\s{2,8}\S{2,12}[:\uff1a] {1,12}(?P<text>\S.*)")
_CONTINUED = re.compile(r"\s{3,}\S")
# `doctor`, `verify` and `bench`: the marks, and the columns behind them.
_CHECK_UP = re.compile(
    r"(?:[✓✗!·]|ok|x|-) (?:machine|GPU|environment|PyTorch|kernels|network|机器|环境|内核|网络)\s{2,}\S"
)
_CHECK = re.compile(
    r"(?:[✓✗!\u2013]|ok|FAIL|warn|skip)\s{1,4}[a-z][\w.-]{2,30}\s{1,30}(?:cpu|cuda|mps|xpu|hip)\S{0,4}\s{1,12}(?:\d|\S)"
)
_HEAD = re.compile(r"Python \d\.\d{1,3}\S{0,40}, torch \S{1,60} \(.{1,200}\)\s{0,40}$")
_MARKED = re.compile(r"(?:[✓✗!·\u2013]|ok|x|FAIL|warn|skip)\s{1,16}\S")
_TORCH = re.compile(r"PyTorch\s{2,}torch (\d\S{1,40}) ")
_ENDS_WITH = re.compile(r"→ (?P<ids>[a-z0-9]+(?:-[a-z0-9]+)+(?:, [a-z0-9]+(?:-[a-z0-9]+)+)*)\s*$")
# `resolve`: a plan.
_PLANNED = re.compile(r"torch \d\S+\s{2,}\S")
_PLAN = re.compile(
    r"(?:torch\w*|triton\S*|pytorch-\S+) \d\S+\s{2,}\S"
    r"|(?:from|because|also|not? \S+|warning|uv|来自|因为|另外|警告|不选 ?\S+|没有 ?\S+)\s{2,}\S"
)
_BECAUSE = re.compile(r"(?:because|from|来自|因为)\s{2,}\S")
_TABLE = re.compile(r"case\s{2,}median\s")
_CASE = re.compile(
    r"[a-z][\w -]{2,60}\s{2,}[\d.,]+\*?\s{1,8}[\d.,]+\s{2,}\S|\* machine busy|measured limits of a core"
    r"|\S.{3,80}: .{3,80}too long"
)


def terminal_blocks(lines: Sequence[str]) -> list[Part]:
    """Return what `doctor`, `verify`, `diagnose`, `resolve` and `bench` printed, as one part."""
    taken: dict[int, None] = {}
    findings: list[tuple[str, str, str]] = []
    heads: list[str] = []
    is_check = False
    for index, name, identifier in _findings(lines):
        block = list(_block(lines, index))
        taken.update(dict.fromkeys(block))
        seen = next(
            (match["text"] for n in block[1:2] if (match := _SEEN.match(lines[n]))), lines[index].strip()
        )
        findings.append((name, identifier, seen))
    for index, line in enumerate(lines):
        if _HEAD.match(line):
            taken[index] = None
            python, _, rest = line.partition(", torch ")
            heads += [
                f"Python version: {python.removeprefix('Python ')}",
                f"PyTorch version: {rest.split()[0]}",
            ]
        elif _CHECK_UP.match(line) or _CHECK.match(line):
            is_check = True
            if torch := _TORCH.search(line):
                heads.append(f"PyTorch version: {torch[1]}")
            taken.update(dict.fromkeys(_block(lines, index)))
            if ids := _ENDS_WITH.search(line):
                findings += [(FINDING, one, line.strip()) for one in ids["ids"].split(", ")]
    if taken:
        # Lines of a section of the check-up that have its mark and no name.
        taken.update((n, None) for n in _beside(lines, taken))
    taken.update(dict.fromkeys(_plans(lines)))
    taken.update(dict.fromkeys(_benchmarks(lines)))
    if not taken:
        return []
    unique = {(name, identifier): row for row in reversed(findings) for name, identifier, _ in [row]}
    return [
        Part(
            lines=tuple(sorted(taken)),
            findings=tuple(reversed(unique.values())),
            heads=tuple(heads),
            is_check=is_check or bool(findings),
        )
    ]


def _findings(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    from torchdoctor.diagnose.catalogue import failures_by_id
    from torchdoctor.diagnose.cause_table import verify_causes

    for index, line in enumerate(lines):
        if line.rstrip().endswith("]") and (match := _FINDING.match(line)):
            known = match["id"] in failures_by_id() or any(
                cause["id"] == match["id"] for cause in verify_causes()
            )
            if known:
                yield index, POSSIBLE if match["mark"] == "?" else FINDING, match["id"]


def _block(lines: Sequence[str], index: int) -> Iterator[int]:
    """Yield the index and those of the indented lines below."""
    indent = len(lines[index]) - len(lines[index].lstrip())
    yield index
    for number in range(index + 1, len(lines)):
        line = lines[number]
        if not _CONTINUED.match(line) or len(line) - len(line.lstrip()) <= indent:
            return
        yield number


def _beside(lines: Sequence[str], taken: dict[int, None]) -> Iterator[int]:
    """Yield marked lines that follow a taken one directly, and those below them."""
    known = set(taken)
    for index, line in enumerate(lines):
        if index not in known and index - 1 in known and _MARKED.match(line):
            for number in _block(lines, index):
                known.add(number)
                yield number


def _plans(lines: Sequence[str]) -> Iterator[int]:
    if any(map(_PLANNED.match, lines)) and any(map(_BECAUSE.match, lines)):
        yield from (index for index, line in enumerate(lines) if _PLAN.match(line))


def _benchmarks(lines: Sequence[str]) -> Iterator[int]:
    if any(map(_TABLE.match, lines)):
        yield from (index for index, line in enumerate(lines) if _CASE.match(line) or _TABLE.match(line))
