"""`torchdoctor bench [ENV]`: how fast it is, as a share of what the hardware can do."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torchdoctor.cli.locations import environment_python
from torchdoctor.cli.options import names, output_options
from torchdoctor.cli.output import Output, print_json
from torchdoctor.cli.param_types import CASES, DEVICE, RUN_NAME
from torchdoctor.cli.rank_output import print_ranks
from torchdoctor.cli.trust import trust_option
from torchdoctor.core.fs.user_folders import data_folder
from torchdoctor.core.i18n import message, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.errors import UsageError
from torchdoctor.report.terminal.echo import echo
from torchdoctor.report.terminal.wrap import columns_of, hanging, padded

if TYPE_CHECKING:
    from typing_extensions import Self

    from torchdoctor.bench import BenchReport
    from torchdoctor.bench.comparison import Comparison

__all__ = ["command"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("bench", short_help="Measure the speed, as a share of what the hardware can do.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option(
    "--device", type=DEVICE, metavar="NAME", help="cpu, cuda:0, xpu:0, mps; by default the best one."
)
@click.option("--quick/--full", default=False, help="Fewer cases and shorter rounds.  [default: full]")
@click.option(
    "--only",
    type=CASES,
    multiple=True,
    metavar="CASE",
    callback=names,
    help="This case, or all that begin with it; repeatable.",
)
@click.option(
    "--skip", type=CASES, multiple=True, metavar="CASE", callback=names, help="Leave this case out."
)
@click.option("--list", "list", is_flag=True, help="Print the cases and what each measures.")
@click.option("--save", type=RUN_NAME, metavar="NAME", help="Save this run under a name.")
@click.option(
    "--compare", metavar="NAME|FILE", help="Compare it with a saved run, or with what --json printed."
)
@click.option(
    "--fail-if",
    type=click.FloatRange(min=0),
    metavar="PCT",
    help="Exit with 1 when a case is slower than in --compare by more than this and than the noise.",
)
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page of checks, figures and plots too.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write the results for a CI system too.")
@click.option(
    "--distributed", is_flag=True, help="Bandwidth between ranks, under torchrun or srun; starts them here."
)
@click.option(
    "--ranks",
    type=click.IntRange(2, 64),
    metavar="N",
    help="The number of ranks here; by default one for each GPU, else 2.",
)
@click.option(
    "--limit",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Report a rank that takes longer for a stage of --distributed.",
)
@trust_option
@output_options
def command(
    *,
    env: Path | None,
    device: str | None,
    quick: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    list: bool,  # noqa: A002  # its variable is TORCHDOCTOR_BENCH_LIST
    save: str | None,
    compare: str | None,
    fail_if: float | None,
    html: Path | None,
    junit: Path | None,
    distributed: bool,
    ranks: int | None,
    limit: float,
    output: Output,
) -> int:
    """Measure in ENV: products, convolution, attention, training, memory, copies, overhead.

    Without ENV: the active environment, else ./.venv. Each result is compared with what the hardware can do: a GPU
    with the vendor's figure, a CPU with what was measured on it.

    \b
    torchdoctor bench --quick
    torchdoctor bench ~/envs/vision --device cpu --only matmul --json
    torchdoctor bench --save before
    torchdoctor bench --distributed
    torchrun --nnodes 2 --nproc-per-node 8 ... --no-python torchdoctor bench ENV --distributed
    torchdoctor bench --compare before --fail-if 5 --html report.html
    """
    if list:
        return _list_cases(only, skip, quick=quick, as_json=output.json)
    if fail_if is not None and compare is None:
        raise UsageError(
            message("--fail-if gives a limit, but nothing to compare with"),
            fix=message("add --compare NAME"),
        )
    progress = _Progress(shown=not output.quiet and not output.json)
    if distributed:
        _refuse_with_distributed(device, only, skip, save, compare, html, junit)
        return _between_ranks(environment_python(env, is_proof=True), quick, ranks, limit, progress, output)
    cases = _Cases(device=device, only=only, skip=skip, quick=quick)
    files = _Files(save=save, compare=compare, fail_if=fail_if, html=html, junit=junit)
    return _measure(env, cases, files, progress, output)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cases:
    """What to measure, and on which device."""

    device: str | None
    only: tuple[str, ...]
    skip: tuple[str, ...]
    quick: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Files:
    """What to compare the results with, by how many percent they may be slower, and where to keep them."""

    save: str | None
    compare: str | None
    fail_if: float | None
    html: Path | None
    junit: Path | None


def _refuse_with_distributed(*options: object) -> None:
    if any(options):
        raise UsageError(
            message(
                "--distributed measures between ranks alone, and takes --quick, --ranks, --limit and --json"
            ),
            fix=message("run it without the other options, and bench again with them"),
        )


def _measure(env: Path | None, cases: _Cases, files: _Files, progress: _Progress, output: Output) -> int:
    """Measure, compare, keep and show; the saved run is read first, so that a mistake costs no minute of measuring."""
    from torchdoctor.bench import bench, load_run, save_run
    from torchdoctor.bench import compare as compare_runs
    from torchdoctor.bench.saved_runs import check_run_name

    folder = data_folder(os.environ) / "bench"
    before = None if files.compare is None else load_run(files.compare, folder)
    if files.save is not None:
        check_run_name(files.save)
    python = environment_python(env, is_proof=True)
    with progress:
        report = bench(
            python,
            device=cases.device,
            only=cases.only,
            skip=cases.skip,
            quick=cases.quick,
            on_start=progress.case,
        )
    comparison = None if before is None else compare_runs(before, report, name=files.compare or "")
    if files.save is not None:
        save_run(report, files.save, folder)
    slower = comparison.regressions(files.fail_if) if comparison and files.fail_if is not None else ()
    if files.junit is not None:
        from torchdoctor.report.junit import bench_junit

        files.junit.write_text(bench_junit(report, slower), "utf-8")
    if files.html is not None:
        _write_page(files.html, python, report, comparison)
    _show(report, comparison, as_json=output.json)
    return 0 if report.passed and not slower else 1


def _between_ranks(
    python: Path, quick: bool, ranks: int | None, limit: float, progress: _Progress, output: Output
) -> int:
    from torchdoctor.bench.distributed import run_ranks

    with progress:
        report = run_ranks(python, quick=quick, ranks=ranks, limit=limit, on_stage=progress.case)
    return print_ranks(report, output)


def _write_page(file: Path, python: Path, report: BenchReport, comparison: Comparison | None) -> None:
    from datetime import datetime

    from torchdoctor.report.html.bench import bench_page
    from torchdoctor.verify import verify

    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")
    checks = verify(python, quick=True)
    file.write_text(bench_page(report, checks=checks, comparison=comparison, when=when), "utf-8")


def _show(report: BenchReport, comparison: Comparison | None, *, as_json: bool) -> None:
    if as_json:
        more = {} if comparison is None else {"comparison": comparison.to_json()}
        print_json(report.to_json() | more)
        return
    from torchdoctor.report.terminal.bench import render_bench
    from torchdoctor.report.terminal.compare import render_comparison
    from torchdoctor.report.terminal.table import make_console

    console = make_console()
    render_bench(report, console)
    if comparison is not None:
        render_comparison(comparison, console)


def _list_cases(only: tuple[str, ...], skip: tuple[str, ...], *, quick: bool, as_json: bool) -> int:
    from torchdoctor.bench.measure import select_cases
    from torchdoctor.probe.suite import BENCH

    selected = select_cases(only, skip, quick=quick)
    cases = [(step.id, step.proves) for step in BENCH if step.id in selected]
    if as_json:
        print_json({"schema": 1, "cases": [{"id": name, "measures": what} for name, what in cases]})
        return 0
    columns = columns_of(sys.stdout)
    for name, what in cases:
        echo(f"{name.ljust(28)} {hanging(gettext(what), 29, columns)}")
    return 0


class _Progress:
    """One line on the terminal that says which case is at work."""

    def __init__(self, *, shown: bool) -> None:
        import sys

        self._shown = shown and sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def case(self, name: str) -> None:
        """Write the case's name over the last."""
        self._write(message("measuring {name}", name=name))

    def _write(self, text: str) -> None:
        if self._shown:
            # One that reached the edge would go on in the next line, and stay there.
            width = min(60, (columns_of(sys.stderr) or 61) - 1)
            line = translate(text)[:width]
            echo(f"\r{padded(line, width)}\r{line}", nl=False, err=True)
