"""The check-up for a terminal: a line a part where all is well, the findings below, the verdict in the last line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.language import gettext as _
from torchdoctor.report.hanging import hanging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.checkup.lines import Line
    from torchdoctor.checkup.repair import Repaired
    from torchdoctor.diagnosis import Finding

    Style = Callable[[str, str], str]

__all__ = ["checkup_lines", "repair_lines", "verdict"]

_MARKS = {"ok": "✓", "warning": "!", "error": "✗", "unknown": "·"}
_WIDTH = 12
_LONGEST = 200
# What stands for its section where all of it is well.
_SPEAKS = {
    "machine": "machine.system", "gpu": "gpu.devices", "environment": "environment.python", "pytorch": "pytorch.build",
    "kernels": "kernels.specs", "network": "network.index",
}  # fmt: skip


def checkup_lines(
    lines: Sequence[Line], style: Style, *, verbose: bool, columns: int | None = None
) -> Iterator[str]:
    """One line a section that is well, every line of one that is not; with `verbose` all, and their evidence."""
    for section in dict.fromkeys(line.section for line in lines):
        rows = [line for line in lines if line.section == section]
        told = rows if verbose else _told(section, rows)
        for number, line in enumerate(told):
            name = section if number == 0 else ""
            mark = style(_MARKS[line.mark], line.mark)
            yield f"{mark} {style(name.ljust(_WIDTH), 'title')} {hanging(line.text, _WIDTH + 3, columns)}"
            if verbose:
                yield from (f"{'':{_WIDTH + 3}}{_cut(text)}" for text in (f"[{line.id}]", *line.evidence))


def _cut(text: str) -> str:
    """A list of a processor's features is longer than anybody reads; `--json` has it whole."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _told(section: str, rows: list[Line]) -> list[Line]:
    chosen = [line for line in rows if line.mark in ("warning", "error")]
    spokesman = [line for line in rows if line.id == _SPEAKS.get(section)] or rows[:1]
    extra = [line for line in rows if line.id in ("pytorch.fits", "pytorch.import")]
    return [line for line in rows if line in (*chosen, *spokesman, *extra)]


def verdict(findings: Sequence[Finding], lines: Sequence[Line], repairable: int) -> str:
    """The whole of it in one line; a check that failed without a finding counts as well."""
    errors = sum(row.severity == "error" for row in findings)
    errors += sum(line.mark == "error" and not line.findings for line in lines)
    warnings = sum(row.severity == "warning" for row in findings)
    if not errors and not warnings:
        return _("All is well.")
    parts = []
    if errors:
        parts.append(_("{count} to mend").format(count=errors))
    if warnings:
        parts.append(_("{count} to know of").format(count=warnings))
    text = ", ".join(parts) + "."
    if repairable:
        text += " " + _("`torchdoctor doctor --fix` can mend some of it here.")
    return text


def repair_lines(rows: Sequence[Repaired]) -> Iterator[str]:
    """How each repair ended."""
    words = {"repaired": _("repaired"), "skipped": _("skipped"), "failed": _("failed")}
    for row in rows:
        yield f"{words[row.outcome]}: {row.what}" + (f" ({row.why})" if row.why else "")
