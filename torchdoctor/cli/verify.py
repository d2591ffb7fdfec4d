"""`torchdoctor verify [ENV]`: the verification, run by the environment's own interpreter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import AsTyped, names, output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import CHECKS, DEVICES
from torchdoctor.cli.trust import trust_option
from torchdoctor.cli.verify_output import show_causes, verify_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.verify import CheckResult, VerifyReport

__all__ = ["command"]


@click.command("verify", short_help="Prove that PyTorch works.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option("--quick", is_flag=True, help="Only the fast checks.")
@click.option(
    "--only",
    type=CHECKS,
    multiple=True,
    metavar="CHECK",
    callback=names,
    help="Run this check; may be repeated.",
)
@click.option(
    "--skip", type=CHECKS, multiple=True, metavar="CHECK", callback=names, help="Leave this check out."
)
@click.option(
    "--device",
    type=DEVICES,
    multiple=True,
    metavar="NAME",
    callback=names,
    help="cpu, cuda, cuda:0, xpu, mps; by default all.",
)
@click.option(
    "--list", "list", is_flag=True, help="List what each check proves, how exactly and why; run none."
)
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the results for a CI system too.")  # fmt: skip
@click.option(
    "--distributed", is_flag=True, help="Compare all ranks of torchrun or srun, and prove their sum."
)
@click.option("-r", "--requirements", "files", cls=AsTyped, multiple=True, metavar="FILE",
              help="Import what this file of requirements names too.")  # fmt: skip
@click.option("--project", "projects", cls=AsTyped, multiple=True, metavar="DIR[EXTRA,...]",
              help="Import what the project in this folder needs too.")  # fmt: skip
@trust_option
@output_options
def command(
    *,
    env: Path | None,
    quick: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    device: tuple[str, ...],
    list: bool,  # noqa: A002  # its variable is TORCHDOCTOR_VERIFY_LIST
    junit: Path | None,
    distributed: bool,
    files: tuple[str, ...],
    projects: tuple[str, ...],
    output: Output,
) -> int:
    """Prove that PyTorch works in ENV: every part of it that a user meets, on each device.

    What was asked for when ENV was made is imported too, and what requires torch, each package in a process of its own;
    a small operation proves known extensions. Without ENV: the active environment, else ./.venv. Exit status 1 when a
    check fails.

    \b
    torchdoctor verify
    torchdoctor verify ~/envs/vision --quick --json
    torchdoctor verify --only matmul,conv --device cuda:0
    torchdoctor verify --only packages,operations -r requirements.txt
    torchdoctor verify --junit results.xml
    srun torchdoctor verify ENV --distributed
    """
    if list:
        from torchdoctor.verify import select_checks

        return _list(select_checks(only, skip, quick=quick), output)
    python = environment_python(env, is_proof=True)
    if distributed:
        return _verify_ranks(python, junit, output)
    asked = _asked(files, projects)
    verification = _verify(python, asked, only, skip, device, quick=quick, output=output)
    if junit is not None:
        from torchdoctor.report.junit import junit_xml

        junit.write_text(junit_xml(verification), "utf-8")
    _show(verification, output, whole=bool(output.verbose or only))
    return 0 if verification.passed else 1


def _asked(files: tuple[str, ...], projects: tuple[str, ...]) -> tuple[AskedRequirement, ...]:
    """Read what files and projects name; no index is used and no code is run for it, so nobody has to agree."""
    from torchdoctor.core.fs.user_folders import current_folder
    from torchdoctor.requirements import StackOptions, read_stack

    if not files and not projects:
        return ()
    options = StackOptions(files=files, projects=projects)
    stack = read_stack(options, environ=os.environ, folder=current_folder(), ask=lambda _: True)
    return stack.requirements


def _verify(
    python: Path,
    asked: Sequence[AskedRequirement],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    devices: tuple[str, ...],
    *,
    quick: bool,
    output: Output,
) -> VerifyReport:
    """Run the checks, and print each that fails at once unless the output is quiet."""
    from torchdoctor.report.terminal.stages import StageLines
    from torchdoctor.verify import verify

    lines = StageLines(quiet=output.quiet or output.json)

    def on_result(check: CheckResult) -> None:
        if check.status == "fail" and not lines.quiet:
            lines.check(check.id, check.device, check.status, check.detail)
        lines.checked(check.id)

    try:
        lines.checked(None)
        return verify(
            python,
            only=only,
            skip=skip,
            quick=quick,
            devices=devices or None,
            asked=asked,
            on_result=on_result,
            on_progress=lines.packages,
        )
    finally:
        lines.close()


def _show(verification: VerifyReport, output: Output, *, whole: bool) -> None:
    """Print the result: every row where it is `whole`."""
    from torchdoctor.diagnose.verify_findings import checks_with_known_cause

    if output.json:
        print_json(verify_document(verification))
        return
    from torchdoctor.report.terminal.table import make_console
    from torchdoctor.report.terminal.verify import render_verify

    known = () if output.verbose else checks_with_known_cause(verification)
    render_verify(verification, make_console(), whole=whole, explained=known)
    show_causes(verification)


def _verify_ranks(python: Path, junit: Path | None, output: Output) -> int:
    from torchdoctor.bench.distributed import run_ranks
    from torchdoctor.bench.rank_results import verify_report_from
    from torchdoctor.cli.rank_output import print_ranks

    report = run_ranks(python, quick=True, measure=False)
    verification = verify_report_from(report)
    is_first = report.rank in (None, 0)
    if junit is not None and is_first:
        from torchdoctor.report.junit import junit_xml

        junit.write_text(junit_xml(verification), "utf-8")
    if output.json and (is_first or report.troubles):
        print_json(report.to_json() | verification.to_json() | {"passed": report.passed})
        return 0 if report.passed else 1
    return print_ranks(report, output)


def _list(selected: Sequence[str], output: Output) -> int:
    from torchdoctor.report.terminal.check_list import check_rows, render_checks

    checks = [check for check in check_rows() if check["id"] in selected]
    if output.json:
        print_json({"schema": 1, "checks": checks})
    else:
        from torchdoctor.report.terminal.table import make_console

        render_checks(checks, make_console())
    return 0
