"""The check-up for a terminal: a line a part where all is well, the findings below, the verdict in the last line."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import joined, message, plural, translate, translate_document
from torchdoctor.diagnose.text import shown as fit_to_show
from torchdoctor.report.terminal.wrap import hanging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.check_lines import CheckLine
    from torchdoctor.doctor.repairs import Repair, Repaired

    Style = Callable[[str, str], str]

__all__ = ["checkup_lines", "planned_lines", "repair_lines", "verdict"]

_MARKS = {"ok": "✓", "warning": "!", "error": "✗", "unknown": "·"}
_WIDTH = 12
_LONGEST = 200
# What stands for its section where all of it is well.
_SPEAKS = {
    "machine": "machine.system", "gpu": "gpu.devices", "environment": "environment.python", "pytorch": "pytorch.build",
    "kernels": "kernels.specs", "network": "network.index",
}  # fmt: skip


def checkup_lines(
    lines: Sequence[CheckLine], style: Style, *, verbose: bool, columns: int | None = None
) -> Iterator[str]:
    """One line a section that is well, every line of one that is not; with `verbose` all, and their evidence."""
    for section in dict.fromkeys(line.section for line in lines):
        rows = [line for line in lines if line.section == section]
        told = rows if verbose else _told(section, rows)
        for number, line in enumerate(told):
            name = _sections().get(section, section) if number == 0 else ""
            text = translate_document(fit_to_show(line.text))
            if line.findings:
                text += f"  → {', '.join(line.findings)}"
            mark = style(_MARKS[line.mark], line.mark)
            yield f"{mark} {style(_padded(name), 'title')} {hanging(text, _WIDTH + 3, columns)}"
            if verbose:
                evidence = (translate_document(fit_to_show(row)) for row in line.evidence)
                yield from (f"{'':{_WIDTH + 3}}{_cut(text)}" for text in (f"[{line.id}]", *evidence))


def _sections() -> dict[str, str]:
    """What the sections are called in the user's language; `--only` and `--json` have the names of the code."""
    return {
        "machine": _("machine"),
        "gpu": _("GPU"),
        "environment": _("environment"),
        "pytorch": _("PyTorch"),
        "kernels": _("kernels"),
        "network": _("network"),
    }


def _padded(name: str) -> str:
    """To the sections' width; a Chinese sign takes two columns."""
    return name + " " * (_WIDTH - len(name) - sum(unicodedata.east_asian_width(sign) == "W" for sign in name))


def _cut(text: str) -> str:
    """A list of a processor's features is longer than anybody reads; `--json` has it whole."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _told(section: str, rows: list[CheckLine]) -> list[CheckLine]:
    chosen = [line for line in rows if line.mark in ("warning", "error")]
    spokesman = [line for line in rows if line.id == _SPEAKS.get(section)] or rows[:1]
    extra = [line for line in rows if line.id in ("pytorch.fits", "pytorch.import")]
    return [line for line in rows if line in (*chosen, *spokesman, *extra)]


def verdict(findings: Sequence[Finding], lines: Sequence[CheckLine], mends: str) -> str:
    """The whole of it in one line; a check that failed without a finding counts too. `mends`: the repairing command."""
    errors = sum(row.severity == "error" for row in findings)
    # A check that failed follows from a finding where there is one, and counts by itself where there is none.
    errors = errors or sum(line.mark == "error" and not line.findings for line in lines)
    warnings = sum(row.severity == "warning" for row in findings)
    warnings += sum(line.mark == "warning" and not line.findings for line in lines)
    if not errors and not warnings:
        return _nothing_wrong(lines)
    parts = []
    if errors:
        parts.append(
            plural(errors, message("1 thing to mend"), message("{count} things to mend", count=errors))
        )
    if warnings:
        parts.append(
            plural(
                warnings, message("1 thing to know of"), message("{count} things to know of", count=warnings)
            )
        )
    if not mends:
        return translate(message("{parts}.", parts=joined(parts)))
    return translate(
        message("{parts}. Some of it can be mended here: {command}", parts=joined(parts), command=mends)
    )


def _nothing_wrong(lines: Sequence[CheckLine]) -> str:
    """All is well only where torch is there and the GPUs could be asked."""
    unknown = {line.id for line in lines if line.mark == "unknown"}
    if "pytorch.build" in unknown:
        return _("Nothing is wrong, and torch is not there yet: `torchdoctor install` brings it.")
    if "gpu.devices" in unknown:
        return _("Nothing wrong was found, and what the GPU says could not be learnt.")
    return _("All is well.")


def planned_lines(repairs: Sequence[Repair], columns: int | None = None) -> Iterator[str]:
    """What --fix is about to do, before it asks."""
    if repairs:
        yield ""
        yield _("What can be done about it here:")
    for row in repairs:
        yield f"  {hanging(translate_document(fit_to_show(row.what)), 2, columns)}"


def repair_lines(rows: Sequence[Repaired]) -> Iterator[str]:
    """How each repair ended."""
    words = {"repaired": _("repaired"), "skipped": _("skipped"), "failed": _("failed")}
    for row in rows:
        told = message("{outcome}: {what}", outcome=words[row.outcome], what=row.what)
        if row.why:
            told = message("{text} ({why})", text=told, why=row.why)
        yield translate_document(fit_to_show(told))
