"""The check-up for a terminal: one line for each section that is well, findings below, the verdict at the end."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plural, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import translate_document
from torchdoctor.diagnose.text import displayable
from torchdoctor.report.terminal.wrap import hanging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.lines import CheckLine
    from torchdoctor.doctor.repair_model import Repaired

    Style = Callable[[str, str], str]

__all__ = ["doctor_lines", "planned_lines", "repair_lines", "verdict"]

_MARKS = {"ok": "✓", "warning": "!", "error": "✗", "unknown": "·"}
_SECTION_WIDTH = 12
_MAX_LINE_LENGTH = 200
# The check that stands for its section where all of it is well.
_MAIN_CHECKS = {
    "machine": "machine.system", "gpu": "gpu.devices", "environment": "environment.python", "pytorch": "pytorch.build",
    "packages": "packages.requirements", "kernels": "kernels.specs", "network": "network.index",
}  # fmt: skip


def doctor_lines(
    lines: Sequence[CheckLine], style: Style, *, verbose: bool, columns: int | None = None
) -> Iterator[str]:
    """One line a section that is well, every line of one that is not; with `verbose` all, and their evidence."""
    for section in dict.fromkeys(line.section for line in lines):
        own = [line for line in lines if line.section == section]
        for number, line in enumerate(own if verbose else _selected(section, own)):
            name = _sections().get(section, section) if number == 0 else ""
            text = translate_document(displayable(line.text))
            if line.findings:
                text += f"  → {', '.join(line.findings)}"
            mark = style(_MARKS[line.mark], line.mark)
            yield f"{mark} {style(_padded(name), 'title')} {hanging(text, _SECTION_WIDTH + 3, columns)}"
            if verbose:
                evidence = (translate_document(displayable(fact)) for fact in line.evidence)
                yield from (f"{'':{_SECTION_WIDTH + 3}}{_cut(text)}" for text in (f"[{line.id}]", *evidence))


def _sections() -> dict[str, str]:
    """What the sections are called in the user's language; `--only` and `--json` have the names of the code."""
    return {
        "machine": _("machine"),
        "gpu": _("GPU"),
        "environment": _("environment"),
        "pytorch": _("PyTorch"),
        "packages": _("packages"),
        "kernels": _("kernels"),
        "network": _("network"),
    }


def _padded(name: str) -> str:
    """To the sections' width; a Chinese sign takes two columns."""
    return name + " " * (
        _SECTION_WIDTH - len(name) - sum(unicodedata.east_asian_width(sign) == "W" for sign in name)
    )


def _cut(text: str) -> str:
    """A list of a processor's features is longer than anybody reads; `--json` has it whole."""
    return text if len(text) <= _MAX_LINE_LENGTH else f"{text[:_MAX_LINE_LENGTH]}…"


def _selected(section: str, lines: list[CheckLine]) -> list[CheckLine]:
    """The lines of a section that are shown: what is wrong, its main check, and what people look for."""
    wrong = [line for line in lines if line.mark in ("warning", "error")]
    main = [line for line in lines if line.id == _MAIN_CHECKS.get(section)] or lines[:1]
    wanted = [line for line in lines if line.id in ("pytorch.fits", "pytorch.import")]
    return [line for line in lines if line in (*wrong, *main, *wanted)]


def verdict(
    findings: Sequence[Finding], lines: Sequence[CheckLine], fix_command: str, install_command: str
) -> str:
    """Return the result in one line.

    `fix_command` repairs something of it, empty where nothing can be repaired; `install_command` installs torch.
    """
    # A failed check follows from a finding where there is one, and counts by itself where there is none.
    errors = sum(finding.severity == "error" for finding in findings)
    errors = errors or sum(line.mark == "error" and not line.findings for line in lines)
    warnings = sum(finding.severity == "warning" for finding in findings)
    warnings += sum(line.mark == "warning" and not line.findings for line in lines)
    if not errors and not warnings:
        return translate(_nothing_wrong(lines, install_command))
    parts = []
    if errors:
        many = message("{count} things to repair", count=errors)
        parts.append(plural(errors, message("1 thing to repair"), many))
    if warnings:
        many = message("{count} things to know", count=warnings)
        parts.append(plural(warnings, message("1 thing to know"), many))
    text = message("{parts}.", parts=joined(parts))
    if fix_command:
        text = message(
            "{parts}. Some of it can be repaired here: {command}", parts=joined(parts), command=fix_command
        )
    return translate(text)


def _nothing_wrong(lines: Sequence[CheckLine], install_command: str) -> str:
    """All is well only where torch is installed, what was asked for was imported and the GPUs could be asked."""
    unknown = {line.id for line in lines if line.mark == "unknown"}
    if "pytorch.build" in unknown:
        return message("Nothing is wrong, and torch is not installed yet: {command}", command=install_command)
    if "packages.import" in unknown:
        return message("Nothing wrong was found, but what was asked for was not imported.")
    if "gpu.devices" in unknown:
        return message("Nothing wrong was found, but the GPU could not be asked.")
    return message("All is well.")


def planned_lines(repairs: Sequence[str], columns: int | None = None) -> Iterator[str]:
    """What `--fix` is about to do, before it asks."""
    if repairs:
        yield ""
        yield _("What can be repaired here:")
    for repair in repairs:
        yield f"  {hanging(translate_document(displayable(repair)), 2, columns)}"


def repair_lines(outcomes: Sequence[Repaired]) -> Iterator[str]:
    """How each repair ended."""
    words = {"repaired": _("repaired"), "skipped": _("skipped"), "failed": _("failed")}
    for outcome in outcomes:
        text = message("{outcome}: {what}", outcome=words[outcome.outcome], what=outcome.what)
        if outcome.reason:
            text = message("{text} ({why})", text=text, why=outcome.reason)
        yield translate_document(displayable(text))
