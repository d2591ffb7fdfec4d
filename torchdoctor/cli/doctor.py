"""`torchdoctor doctor [ENV]`: the check-up of this machine and an environment, with cause and fix."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from torchdoctor.cli.locations import environment_python, print_json
from torchdoctor.cli.options import AsTyped, Output, output_options, source_options
from torchdoctor.cli.param_types import CHECKUPS
from torchdoctor.core.i18n.messages import translate
from torchdoctor.errors import EnvironmentUnusable

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
    "--exclude", type=CHECKUPS, multiple=True, metavar="ID", help="Pass over this check, section or finding."
)
@click.option("--list-checks", is_flag=True, help="List the checks, and stop.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
@click.option(
    "--all", "everywhere", cls=AsTyped, is_flag=True, help="Every environment on this machine, one line each."
)
@click.option("--fix", is_flag=True, help="Mend what can be mended here, and look again.")
@click.option("--dry-run", is_flag=True, help="With --fix: say what would be done, and stop.")
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
@output_options
def command(*, output: Output, env: Path | None, **asked: Any) -> int:
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
    from torchdoctor.workflows.doctor import DoctorOptions, look_everywhere, run_doctor

    if asked["list_checks"]:
        return _list_checks(output)
    if asked["everywhere"]:
        return look_everywhere(output, strict=asked["strict"])
    return run_doctor(_python(env), DoctorOptions.of(asked), output)


def _list_checks(output: Output) -> int:
    from torchdoctor.doctor.checks import CHECKS

    if output.json:
        rows = [{"id": name, "looks_at": row.looks_at} for name, row in CHECKS.items()]
        print_json({"schema": 1, "checks": rows})
        return 0
    for name, row in CHECKS.items():
        click.echo(f"{name:22} {translate(row.looks_at)}")
    return 0


def _python(env: Path | None) -> Path:
    try:
        return environment_python(env)
    except EnvironmentUnusable:
        if env is not None:
            raise
        return Path(sys.executable)
