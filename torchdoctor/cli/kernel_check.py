"""`torchdoctor jupyter-kernel check|repair`: start a kernel and run cells in it, and mend one that is broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.kernel_list import kernel_named, this_system
from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import output_options
from torchdoctor.cli.output import Output, print_json, stage_lines
from torchdoctor.cli.param_types import KERNEL
from torchdoctor.cli.plan_options import source_options
from torchdoctor.cli.trust import require_trust, trust_option
from torchdoctor.core.fs.user_folders import cache_folder
from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.core.i18n.messages import translate_document, with_trailing_space
from torchdoctor.core.shell_words import quoted
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.system import System
    from torchdoctor.kernel import KernelState
    from torchdoctor.verify import CheckResult
    from torchdoctor.workflows import SourceOptions

__all__ = ["check", "repair"]


@click.command("check", short_help="Start a kernel and run cells in it.")
@click.argument("name", type=KERNEL)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1, max=3600),
    metavar="SECONDS",
    help="How long to wait for its start, and for each cell [90 and 180].",
)
@trust_option
@output_options
def check(*, name: str, timeout: float | None, output: Output) -> int:
    """Start the kernel NAME and run cells in it: is its Python the right one, can torch be imported, which device
    does it use, and is a tensor's gradient there right. Exit status 1 when one of them fails.

    \b
    torchdoctor jupyter-kernel check demo
    torchdoctor jupyter-kernel check demo --json
    """  # noqa: D205
    system = this_system()
    state = kernel_named(system, name)
    results = _run_checks(system, state, timeout, output)
    passed = all(result.status != "fail" for result in results)
    if output.json:
        rows = [result.to_json() for result in results]
        print_json({"schema": 1, "kernel": state.to_json(), "checks": rows, "passed": passed})
    else:
        for result in results:
            _show_check(result)
        if not passed:
            echo(f"  {with_trailing_space(gettext('fix:'))}{translate(_fix_for(state, results))}")
    return 0 if passed else 1


@click.command("repair", short_help="Make a broken kernel run again.")
@click.argument("name", type=KERNEL)
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@source_options
@trust_option
@output_options
def repair(
    *,
    name: str,
    env: Path | None,
    yes: bool,
    sources: SourceOptions,
    output: Output,
) -> int:
    """Make the kernel NAME run again, and check it.

    One whose Python is gone is made to run ENV (without it: the environment that holds the spec, else the active
    one, else ./.venv); a spec that cannot be read is written again, and the broken one is kept; ipykernel is
    installed where it is missing. Each is asked for first.

    \b
    torchdoctor jupyter-kernel repair demo
    torchdoctor jupyter-kernel repair demo ~/envs/vision --yes
    """
    from torchdoctor.workflows import repair_kernel

    system = this_system()
    state = kernel_named(system, name)
    report = stage_lines(output)
    try:
        done = repair_kernel(
            state,
            python=_python_for(state, env),
            assume_yes=yes,
            sources=sources,
            cache=cache_folder(os.environ),
            system=system,
            report=report,
            named=env is not None,
        )
    finally:
        report.close()
    state = kernel_named(system, name)
    # A kernel without torch needs only to start.
    checks = _run_checks(system, state, None, output, cells=None if state.torch else ("python",))
    return _show_repair(state, done, checks, output)


def _show_repair(state: KernelState, done: str, checks: Sequence[CheckResult], output: Output) -> int:
    passed = all(check.status != "fail" for check in checks)
    if output.json:
        results = [check.to_json() for check in checks]
        document = {"schema": 1, "kernel": state.to_json(), "did": done or None, "checks": results}
        print_json({**document, "passed": passed})
    else:
        text = message(
            "kernel {kernel}: {did}", kernel=state.name, did=done or message("there was nothing to repair")
        )
        echo(translate(text))
        for check in checks:
            _show_check(check)
    return 0 if passed else 1


def _python_for(state: KernelState, env: Path | None) -> Path | None:
    """Return the interpreter of ENV; without ENV that of the environment in use, if one is needed."""
    if env is not None:
        return environment_python(env)
    # The environment that holds the spec is the better guess.
    if state.problem is None or state.place == "environment":
        return None
    try:
        return environment_python(None)
    except EnvironmentUnusable:
        return None


def _run_checks(
    system: System,
    state: KernelState,
    timeout: float | None,
    output: Output,
    cells: Sequence[str] | None = None,
) -> tuple[CheckResult, ...]:
    from torchdoctor.kernel import check_kernel
    from torchdoctor.kernel.session import ALL_CELLS, CellLimits

    if state.python is not None:
        require_trust(state.python, is_proof=True)
    report = stage_lines(Output(quiet=output.quiet, json=output.json))
    return check_kernel(
        state,
        system=system,
        prefixes=[Path(sys.prefix)],
        cells=cells or ALL_CELLS,
        limits=CellLimits(start=timeout, cell=timeout) if timeout else None,
        on_wait=lambda seconds: report.waiting("kernel", seconds),
    )


def _fix_for(state: KernelState, checks: tuple[CheckResult, ...]) -> str:
    if state.problem is not None:
        return state.problem.fix
    failed = next(check for check in checks if check.status == "fail")
    where = quoted(str(state.prefix)) if state.prefix else "ENV"
    if failed.id == "import" and "No module named 'torch'" in failed.detail:
        return f"torchdoctor install {where}"
    if failed.id in ("start", "python"):
        return message(
            "torchdoctor jupyter-kernel remove {kernel}, then register it: torchdoctor jupyter-kernel ENV",
            kernel=state.argument,
        )
    return f"torchdoctor verify {where}"


def _show_check(result: CheckResult) -> None:
    from torchdoctor.report.terminal.wrap import padded
    from torchdoctor.verify.status_text import STATUS

    word = click.style(
        padded(translate(STATUS[result.status]), 7), fg={"pass": "green", "fail": "red"}.get(result.status)
    )
    echo(f"{word} {result.id.ljust(7)} {translate_document(result.detail)}")
    for line in result.evidence:
        echo(f"{'':16}{line}")
