"""`torchdoctor doctor [ENV]`: what machine this is, what would fit it, what is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torchdoctor.cli.options import Output, output_options
from torchdoctor.cli.place import cache_folder, data_folder, environment_python, say_json
from torchdoctor.errors import EnvironmentUnusable, NoSolution

if TYPE_CHECKING:
    from torchdoctor.diagnosis import Finding
    from torchdoctor.installed import Installed
    from torchdoctor.machine import Detection, PythonInfo
    from torchdoctor.plan import Plan

__all__ = ["command"]


@click.command("doctor", short_help="What machine this is, which PyTorch fits, what is installed.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@output_options
def command(*, output: Output, env: Path | None = None) -> int:
    """Look at this machine and at ENV: what is here, which PyTorch would fit, what is installed.

    Without ENV: the active environment, else ./.venv, else the Python that runs torchdoctor. Exit status 1
    when something is wrong.

    \b
    torchdoctor
    torchdoctor doctor ~/envs/vision --json
    """
    from torchdoctor.diagnosis import judge_builds
    from torchdoctor.index_store import known_index
    from torchdoctor.installed import read_installed
    from torchdoctor.machine import describe_python, detect, real_world
    from torchdoctor.plan import Request
    from torchdoctor.snapshot_shelf import plan_from_snapshot

    world = real_world(os.environ)
    python = describe_python(world, _python(env))
    detection = detect(world, python=python, cache=cache_folder())
    plan: Plan | None
    try:
        known = known_index(data_folder(), lambda text: click.echo(text, err=True))
        plan, unfit = plan_from_snapshot(detection.machine, Request(), known), ""
    except NoSolution as error:
        plan, unfit = None, f"{error.message}; {error.fix}"
    installed = read_installed(python.site_packages)
    findings = judge_builds(installed, plan, folder=str(python.prefix))
    if output.json:
        say_json(_document(detection, plan, installed, findings, python))
    else:
        _show(detection, plan, unfit, installed, findings, python, output)
    return 1 if any(row.severity == "error" for row in findings) else 0


def _python(env: Path | None) -> Path:
    try:
        return environment_python(env)
    except EnvironmentUnusable:
        if env is not None:
            raise
        return Path(sys.executable)


def _document(
    detection: Detection,
    plan: Plan | None,
    installed: Installed,
    findings: tuple[Finding, ...],
    python: PythonInfo,
) -> dict[str, Any]:
    return {
        "schema": 1,
        "machine": detection.machine.to_json(),
        "plan": plan.to_json() if plan else None,
        "environment": {
            "path": str(python.prefix),
            "python": str(python.executable),
            "packages": installed.to_json(),
        },
        "findings": [row.to_json() for row in findings],
    }


def _show(
    detection: Detection,
    plan: Plan | None,
    unfit: str,
    installed: Installed,
    findings: tuple[Finding, ...],
    python: PythonInfo,
    output: Output,
) -> None:

    if not output.quiet:
        _line("machine", detection.summary())
        if plan is None:
            _line("fits", unfit)
        else:
            _line("fits", f"{', '.join(f'{row.name} {row.version}' for row in plan.packages)}")
            for reason in plan.reasons:
                _line("", reason)
            for text in plan.warnings:
                _line("", f"warning: {text}")
        _line("looked in", f"{python.prefix} (Python {python.version})")
        names = ", ".join(
            f"{row.name} {row.version} ({row.build or 'build not said'})" for row in installed.packages
        )
        _line("installed", names or "no torch here; `torchdoctor install` makes an environment that has it")
    for finding in findings:
        click.echo(f"{click.style('✗', fg='red')} {finding.title}: {'; '.join(finding.evidence)}")
        click.echo(f"  why: {finding.explanation}")
        for step in finding.fix:
            click.echo(f"  fix: {step}")


def _line(name: str, text: str) -> None:
    click.echo(f"{click.style(name.ljust(10), bold=True)} {text}")
