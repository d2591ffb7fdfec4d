"""VerifyReport -> a table on the terminal: a row for each check, then the evidence of each failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.report.terminal.table import Grid
from torchdoctor.verify.status_text import counted_checks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rich.console import Console

    from torchdoctor.verify import CheckResult, VerifyReport

__all__ = ["environment_line", "render_verify", "status_sign"]

_MAX_EVIDENCE_LINES = 8  # of a failure; the JSON has all of them
_MAX_SKIPPED_ROWS = 3  # more checks skipped for one reason are one line
_MARKS = {
    "pass": ("✓", "ok", "green"),
    "fail": ("✗", "FAIL", "bold red"),
    "warn": ("!", "!", "yellow"),
    "skip": ("\u2013", "-", "dim"),
}
_WRONG = ("fail", "warn")


def render_verify(
    report: VerifyReport, console: Console, *, whole: bool = True, explained: Collection[CheckResult] = ()
) -> None:
    """Print the report: each check where it is `whole`, else what failed, what is a warning, and how many they are.

    The evidence of a check that is `explained` elsewhere is left out.
    """
    console.print(environment_line(report.environment), soft_wrap=True)
    _print_rows(report, console, _WRONG if not whole else _MARKS)
    for check in report.checks:
        if check.status == "fail" and check.evidence and check not in explained:
            _print_evidence(check, console)
    console.print(_summary(report, whole=whole), soft_wrap=True)


def _print_rows(report: VerifyReport, console: Console, statuses: Collection[str]) -> None:
    grid = Grid("", _("check"), _("device"), _("seconds"), "", right=(3,), lead=4)
    together = _skipped_together(report) if "skip" in statuses else {}
    for check in report.checks:
        if check.status not in statuses or (check.status == "skip" and check.detail in together):
            continue
        took = f"{check.seconds:.2f}" if check.status != "skip" else ""
        grid.add(status_sign(check.status, console), check.id, check.device, took, translate(check.detail))
    grid.print_on(console)
    for why, names in together.items():
        text = message("{what}: {why}", what=why, why=joined(names))
        line = Text.assemble(status_sign("skip", console), f" {translate(text)}")
        console.print(line, soft_wrap=True)


def _skipped_together(report: VerifyReport) -> dict[str, list[str]]:
    """Checks that were skipped for one and the same reason, where they are more than a few."""
    reasons: dict[str, list[str]] = {}
    for check in report.checks:
        if check.status == "skip":
            reasons.setdefault(check.detail, []).append(check.id)
    return {why: names for why, names in reasons.items() if len(names) > _MAX_SKIPPED_ROWS}


def status_sign(status: str, console: Console) -> Text:
    """Return a sign for the status, in letters where the terminal cannot show the sign."""
    sign, plain, style = _MARKS[status]
    try:
        sign.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        sign = plain
    return Text(sign, style=style)


def environment_line(environment: Mapping[str, Any]) -> Text:
    """Return the environment in a line: Python, torch and its companions, devices, path."""
    torch = environment.get("torch")
    parts: list[object] = [
        f"Python {environment.get('python')}",
        f"torch {torch}" if torch else message("no torch"),
    ]
    parts += [
        f"{name} {environment[name]}" for name in ("torchvision", "torchaudio") if environment.get(name)
    ]
    devices = environment.get("devices") or []
    parts += [
        message("{what}: {why}", what=device["device"], why=device["name"])
        for device in devices
        if device.get("name")
    ]
    text = message("{parts} ({place})", parts=joined(parts), place=environment.get("executable"))
    return Text(translate(text))


def _print_evidence(check: CheckResult, console: Console) -> None:
    console.print(
        Text(
            "\n"
            + translate(message("{check} on {device}, last output:", check=check.id, device=check.device)),
            style="bold",
        ),
        soft_wrap=True,
    )
    for line in check.evidence[-_MAX_EVIDENCE_LINES:]:
        console.print(Text("  " + line), soft_wrap=True)


def _summary(report: VerifyReport, *, whole: bool) -> Text:
    text = counted_checks(report.checks) or message("no check was run")
    if not whole and any(check.status not in _WRONG for check in report.checks):
        text = message("{counts} (-v shows each)", counts=text)
    return Text(translate(text), style="bold green" if report.passed else "bold red")
