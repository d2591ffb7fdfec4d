"""`torchdoctor doctor [ENV]`: the check of this machine and an environment, with cause and fix."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.locations import environment_python_or_own
from torchdoctor.cli.options import AsTyped, output_options
from torchdoctor.cli.output import Output, print_json, stage_lines, styled
from torchdoctor.cli.param_types import CHECKUPS
from torchdoctor.cli.plan_options import source_options
from torchdoctor.cli.trust import ask_to_trust, require_trust, trust_option
from torchdoctor.core.i18n import joined, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.doctor.all_environments import EnvironmentLocation
    from torchdoctor.workflows import DoctorOptions, DoctorResult
    from torchdoctor.workflows.repair_plan import PlannedRepair

__all__ = ["command"]


@click.command("doctor", short_help="The check-up: machine, environment, kernels, with cause and fix.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option(
    "--only",
    type=CHECKUPS,
    multiple=True,
    metavar="CHECK",
    help="Only this check or section; see --list-checks.",
)
@click.option(
    "--exclude", type=CHECKUPS, multiple=True, metavar="ID", help="Leave out this check, section or finding."
)
@click.option("--list-checks", is_flag=True, help="List the checks, and stop.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
@click.option(
    "--all", "everywhere", cls=AsTyped, is_flag=True, help="Every environment on this machine, one line each."
)
@click.option("--fix", is_flag=True, help="Repair what torchdoctor can repair, and check again.")
@click.option("--dry-run", is_flag=True, help="With --fix: show the repairs, and stop.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.option(
    "--import/--no-import",
    "importing",
    cls=AsTyped,
    default=True,
    help="Import torch in ENV, which takes a second.",
)
@click.option("--network/--no-network", default=True, help="Connect to the PyTorch index.")
@click.option("--deep", is_flag=True, help="Compare every file's hash with its RECORD.")
@source_options
@trust_option
@output_options
def command(*, output: Output, env: Path | None, **given: Any) -> int:
    """Look at this machine, at ENV, at Jupyter's kernels and at the way to the index: what is wrong, why, what to do.

    Without ENV: the active environment, else ./.venv, else the Python that runs torchdoctor. Nothing is changed
    unless --fix is given. Exit status 1 when something is wrong.

    \b
    torchdoctor
    torchdoctor doctor ~/envs/vision --json
    torchdoctor doctor --only gpu -v
    torchdoctor doctor --all
    torchdoctor doctor ~/envs/vision --fix
    """
    if given["list_checks"]:
        return _list_checks(output)
    if given["everywhere"]:
        return _list_environments(output, strict=given["strict"])
    return _check(env, given, output)


def _list_checks(output: Output) -> int:
    from torchdoctor.doctor.checks import CHECKS

    if output.json:
        checks = [{"id": name, "looks_at": check.looks_at} for name, check in CHECKS.items()]
        print_json({"schema": 1, "checks": checks})
        return 0
    for name, check in CHECKS.items():
        echo(f"{name:22} {translate(check.looks_at)}")
    return 0


def _check(env: Path | None, given: Mapping[str, Any], output: Output) -> int:
    from torchdoctor.core.fs.user_folders import user_folders
    from torchdoctor.core.system import host_system
    from torchdoctor.workflows import run_doctor

    options, report = _doctor_options(given), stage_lines(output)
    try:
        python = _python_of(env, options, report)
        if options.repair is not None and not options.repair.dry_run:
            require_trust(python)
        elif options.inspection.importing:
            ask_to_trust(python)
        result = run_doctor(
            python,
            options,
            system=host_system(os.environ),
            folders=user_folders(os.environ),
            report=report,
            on_diagnosed=None if output.json else lambda first: _show_problems(first, output),
            on_planned=None if output.json else _show_plan,
        )
    finally:
        report.close()
    if output.json:
        print_json(result.to_json())
    else:
        if options.repair is None or result.checked_again:
            _show_problems(result, output)
        _show_outcome(result, output, offer_fix=options.repair is None)
    return result.exit_status(strict=given["strict"])


def _python_of(env: Path | None, options: DoctorOptions, report: Reporter) -> Path:
    """Return the interpreter of ENV, with --fix after it was linked to another base Python where its own is gone."""
    from torchdoctor.core.fs.user_folders import cache_folder, full_path
    from torchdoctor.core.system import host_system
    from torchdoctor.errors import EnvironmentUnusable

    try:
        return environment_python_or_own(env)
    except EnvironmentUnusable as error:
        if env is None or options.repair is None or error.code != "python-gone":
            raise
        from torchdoctor.workflows import restore_base_python

        locks, system = cache_folder(os.environ) / "locks", host_system(os.environ)
        if not restore_base_python(full_path(env), options.repair, locks, system, report):
            raise
        return environment_python_or_own(env)


def _doctor_options(given: Mapping[str, Any]) -> DoctorOptions:
    """Return the options as values; raises `UsageError` for a check that does not exist."""
    from torchdoctor.doctor import InspectOptions
    from torchdoctor.doctor.check_selection import select_doctor_checks
    from torchdoctor.workflows import DoctorOptions

    checks = select_doctor_checks(given["only"], given["exclude"])
    repair = None
    if given["fix"]:
        from torchdoctor.workflows import RepairOptions

        repair = RepairOptions(sources=given["sources"], dry_run=given["dry_run"], assume_yes=given["yes"])
    return DoctorOptions(
        checks=checks,
        excluded=frozenset(given["exclude"]),
        inspection=InspectOptions(
            importing=given["importing"] and bool({"pytorch.import", "packages.import"} & set(checks)),
            packages="packages.import" in checks,
            asking=given["network"] and "network.index" in checks,
            deep=given["deep"],
        ),
        translate=gettext,
        repair=repair,
    )


def _show_plan(planned: Sequence[PlannedRepair]) -> None:
    """Show what --fix is about to do, before it asks; what it cannot do is said at the end."""
    from torchdoctor.report.terminal.doctor import planned_lines
    from torchdoctor.report.terminal.wrap import columns_of

    for text in planned_lines([each.what for each in planned if not each.refusal], columns_of(sys.stdout)):
        echo(text)


def _show_problems(result: DoctorResult, output: Output) -> None:
    """Show the checks, then each finding."""
    from torchdoctor.report.terminal.diagnosis import finding_lines
    from torchdoctor.report.terminal.doctor import doctor_lines
    from torchdoctor.report.terminal.wrap import columns_of

    columns = columns_of(sys.stdout)
    if not output.quiet:
        for text in doctor_lines(result.lines, styled, verbose=bool(output.verbose), columns=columns):
            echo(text)
    for finding in result.findings:
        echo()
        for text in finding_lines(finding, styled, columns):
            echo(text)


def _show_outcome(result: DoctorResult, output: Output, *, offer_fix: bool) -> None:
    """Show how the repairs ended, and the verdict as the last line; `offer_fix` names the command that repairs."""
    from torchdoctor.report.terminal.doctor import repair_lines, verdict

    if result.outcomes:
        echo()
    for text in repair_lines(result.outcomes):
        echo(text)
    if not output.quiet or result.findings:
        command = result.fix_command if offer_fix and result.repairs else ""
        echo(f"\n{verdict(result.findings, result.lines, command, result.install_command)}")


def _list_environments(output: Output, *, strict: bool) -> int:
    """Print a line for each environment on this machine, and what a notebook would run."""
    from torchdoctor.core.fs.user_folders import current_folder
    from torchdoctor.core.system import host_system
    from torchdoctor.doctor.all_environments import environments, warnings_for

    found = environments(host_system(os.environ), here=current_folder())
    warnings = warnings_for(found)
    if output.json:
        rows = [environment.to_json() for environment in found]
        print_json({"schema": 1, "environments": rows, "notes": list(warnings)})
    else:
        _show_environments(found, warnings)
    return 1 if warnings and strict else 0


def _show_environments(found: tuple[EnvironmentLocation, ...], warnings: tuple[str, ...]) -> None:
    width = max((len(str(environment.prefix)) for environment in found), default=0)
    for environment in found:
        torch = gettext("no torch")
        if environment.torch:
            torch = f"torch {environment.torch} ({environment.build or '?'})"
        known_by = f"  {translate(joined(environment.known_by))}" if environment.known_by else ""
        echo(f"{environment.prefix!s:{width}}  Python {environment.python_version or '?'}  {torch}{known_by}")
    for text in warnings:
        echo(f"{click.style('!', fg='yellow')} {translate(text)}")
    if not found:
        echo(gettext("no environment was found"))
