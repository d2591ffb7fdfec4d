"""What `doctor` does with its options: looks, judges, repairs where asked to, prints."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.locations import cache_folder, data_folder, print_json
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import joined, message, translate
from torchdoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.cli.options import Output
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor import CheckUp, InspectOptions
    from torchdoctor.doctor.check_lines import CheckLine
    from torchdoctor.doctor.repairs import Repair, Repaired
    from torchdoctor.workflows.plan import SourceOptions
    from wheels_index import Snapshot

__all__ = ["DoctorOptions", "look_everywhere", "run_doctor"]

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "note": "blue"}


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorOptions:
    """The options of one check-up."""

    checks: tuple[str, ...]
    exclude: frozenset[str]
    strict: bool
    fix: bool
    dry_run: bool
    yes: bool
    how: InspectOptions
    options: Mapping[str, Any]

    @property
    def sources(self) -> SourceOptions:
        """Where a repair may take files from; imported only for one."""
        from torchdoctor.workflows.plan import SourceOptions

        names = ("index_url", "find_links", "mirror", "offline")
        return SourceOptions(**{name: self.options[name] for name in names})

    @staticmethod
    def of(options: Mapping[str, Any]) -> DoctorOptions:
        """The options as they were given; `UsageError` for a check that there is not."""
        from torchdoctor.doctor import InspectOptions
        from torchdoctor.doctor.check_lines import chosen_checks

        _refuse_unknown((*options["only"], *options["exclude"]))
        checks = chosen_checks(options["only"], options["exclude"])
        return DoctorOptions(
            checks=checks,
            exclude=frozenset(options["exclude"]),
            strict=options["strict"],
            fix=options["fix"],
            dry_run=options["dry_run"],
            yes=options["yes"],
            how=InspectOptions(
                importing=options["importing"] and "pytorch.import" in checks,
                asking=options["network"] and "network.index" in checks,
                deep=options["deep"],
            ),
            options=options,
        )


def _refuse_unknown(names: Sequence[str]) -> None:
    import difflib

    from torchdoctor.diagnose.rules import RULES
    from torchdoctor.doctor.checks import CHECKS

    known = {*CHECKS, *(name.partition(".")[0] for name in CHECKS), *(rule.id for rule in RULES)}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            see = message("see `torchdoctor doctor --list-checks`")
            raise UsageError(
                message("there is no check {name!r}", name=name[:60]),
                fix=message("did you mean {near}? {see}", near=near[0], see=see) if near else see,
            )


def run_doctor(python: Path, asked: DoctorOptions, output: Output) -> int:
    """Check up one environment; the exit status is 1 when something is wrong."""
    from torchdoctor.core.system import host_system
    from torchdoctor.core.system.background import BackgroundCall
    from torchdoctor.detect import describe_python

    system = host_system(os.environ)
    asking = BackgroundCall(lambda: describe_python(system, python))
    # The rules are read while the interpreter says what it is: each takes some 20 ms.
    from torchdoctor.doctor.check_lines import lines_of
    from torchdoctor.doctor.repairs import fix_command, with_fix_command
    from torchdoctor.sources.index_cache import known_index

    described = asking.result()
    index = known_index(data_folder(), lambda text: click.echo(text, err=True))
    seen, findings = _judged(system, described, asked, index)
    repairs = _repairs(seen, findings, index)
    done: tuple[Repaired, ...] = ()
    if asked.fix:
        done = _mend(repairs, seen, findings, asked, output, system)
        if changed := any(row.outcome == "repaired" for row in done):
            seen, findings = _judged(system, described, asked, index)
            done = _checked_again(done, findings)
    mends = fix_command(described)
    if not asked.fix:
        findings = with_fix_command(findings, repairs, mends)
    lines = lines_of(seen, findings, asked.checks)
    if output.json:
        print_json(_document(seen, findings, lines, done))
    else:
        if not asked.fix or changed:
            _report(findings, lines, output)
        _end(findings, lines, done, "" if asked.fix or not repairs else mends, output)
    worst = {row.severity for row in findings} | {row.mark for row in lines}
    return 1 if "error" in worst or (asked.strict and "warning" in worst) else 0


def _mend(
    repairs: Sequence[Repair],
    seen: CheckUp,
    findings: Sequence[Finding],
    asked: DoctorOptions,
    output: Output,
    system: System,
) -> tuple[Repaired, ...]:
    """Say what is wrong and what can be done about it, then ask and do it."""
    from torchdoctor.doctor.check_lines import lines_of
    from torchdoctor.report.terminal.doctor import planned_lines
    from torchdoctor.report.terminal.wrap import columns_of
    from torchdoctor.workflows.repair import run_repairs

    if not output.json:
        _report(findings, lines_of(seen, findings, asked.checks), output)
        for text in planned_lines(() if asked.dry_run else repairs, columns_of(sys.stdout)):
            click.echo(text)
    return run_repairs(repairs, seen, asked, output, system)


def _repairs(seen: CheckUp, findings: Sequence[Finding], index: Snapshot) -> tuple[Repair, ...]:
    if not findings:
        return ()
    from torchdoctor.doctor.repairs import repairs_for

    return repairs_for(seen, findings, index)


def _judged(
    system: System, python: PythonInfo, asked: DoctorOptions, index: Any
) -> tuple[CheckUp, tuple[Finding, ...]]:
    from torchdoctor.diagnose.engine import diagnose
    from torchdoctor.doctor import inspect
    from torchdoctor.doctor.check_lines import check_of
    from torchdoctor.doctor.evidence import evidence_from
    from torchdoctor.doctor.live_signs import live_rules

    seen = inspect(system, python, here=Path.cwd(), cache=cache_folder(), index=index, how=asked.how)
    found = diagnose(evidence_from(seen), _, live_rules())
    kept = [row for row in found.findings if row.id not in asked.exclude and check_of(row) in asked.checks]
    return seen, tuple(kept)


def _checked_again(done: Sequence[Repaired], findings: Sequence[Finding]) -> tuple[Repaired, ...]:
    """A repair whose finding is still there has failed, whatever it said of itself."""
    from dataclasses import replace

    left = {row.id for row in findings}
    return tuple(
        replace(row, outcome="failed", why=message("it is still there: {ids}", ids=joined(still)))
        if row.outcome == "repaired" and (still := sorted(left & set(row.findings)))
        else row
        for row in done
    )


def _document(
    seen: CheckUp, findings: Sequence[Finding], lines: Sequence[CheckLine], done: Sequence[Repaired]
) -> dict[str, Any]:
    from torchdoctor.inventory.installed import read_installed

    return {
        "schema": 1,
        "verdict": "problems-found" if _problems(findings, lines) else "nothing-wrong-found",
        "machine": seen.detection.machine.to_json(),
        "plan": seen.plan.to_json() if seen.plan else None,
        "environment": {
            "path": str(seen.python.prefix),
            "python": str(seen.python.executable),
            "packages": read_installed(seen.python.site_packages).to_json(),
        },
        "checks": [row.to_json() for row in lines],
        "findings": [row.to_json() for row in findings],
        "repairs": [row.to_json() for row in done],
    }


def _problems(findings: Sequence[Finding], lines: Sequence[CheckLine]) -> bool:
    return any(row.severity != "note" for row in findings) or any(row.mark == "error" for row in lines)


def _report(findings: Sequence[Finding], lines: Sequence[CheckLine], output: Output) -> None:
    """How things are, then what is wrong."""
    from torchdoctor.report.terminal.diagnosis import finding_lines
    from torchdoctor.report.terminal.doctor import checkup_lines
    from torchdoctor.report.terminal.wrap import columns_of

    columns = columns_of(sys.stdout)
    if not output.quiet:
        for text in checkup_lines(lines, _styled, verbose=bool(output.verbose), columns=columns):
            click.echo(text)
    for row in findings:
        click.echo()
        for text in finding_lines(row, _styled, columns):
            click.echo(text)


def _end(
    findings: Sequence[Finding],
    lines: Sequence[CheckLine],
    done: Sequence[Repaired],
    mends: str,
    output: Output,
) -> None:
    """What became of the repairs, and the verdict as the last line."""
    from torchdoctor.report.terminal.doctor import repair_lines, verdict

    if done:
        click.echo()
    for text in repair_lines(done):
        click.echo(text)
    if not output.quiet or findings:
        click.echo(f"\n{verdict(findings, lines, mends)}")


def _styled(text: str, kind: str) -> str:
    return click.style(text, fg=_COLOURS.get(kind), bold=kind == "title")


def look_everywhere(output: Output, *, strict: bool) -> int:
    """One line for each environment on this machine, and what a notebook would run."""
    from torchdoctor.core.system import host_system
    from torchdoctor.doctor.all_environments import environments, warnings_for

    rows = environments(host_system(os.environ), here=Path.cwd())
    notes = warnings_for(rows)
    if output.json:
        print_json({"schema": 1, "environments": [row.to_json() for row in rows], "notes": list(notes)})
        return 1 if notes and strict else 0
    width = max((len(str(row.prefix)) for row in rows), default=0)
    for row in rows:
        torch = f"torch {row.torch} ({row.build or '?'})" if row.torch else _("no torch")
        known_by = f"  {translate(joined(row.known_by))}" if row.known_by else ""
        click.echo(f"{row.prefix!s:{width}}  Python {row.python_version or '?'}  {torch}{known_by}")
    for text in notes:
        click.echo(f"{click.style('!', fg='yellow')} {translate(text)}")
    if not rows:
        click.echo(_("no environment was found"))
    return 1 if notes and strict else 0
