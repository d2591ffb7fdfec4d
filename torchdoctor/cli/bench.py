"""`torchdoctor bench [ENV]`: how fast it is, as a share of what the hardware can do."""

from __future__ import annotations

from pathlib import Path

import click
from typing_extensions import Self

from torchdoctor.cli.options import Output, output_options
from torchdoctor.cli.place import environment_python, say_json

__all__ = ["command"]


@click.command("bench", short_help="Measure the speed, as a share of what the hardware can do.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option("--device", metavar="NAME", help="cpu, cuda:0, xpu:0, mps; the best there is without it.")
@click.option("--quick/--full", default=False, help="Fewer cases and shorter rounds.  [default: full]")
@click.option("--only", multiple=True, metavar="CASE", help="This case, or all whose names begin with it.")
@click.option("--skip", multiple=True, metavar="CASE", help="Not this one.")
@click.option("--list", "list_", is_flag=True, help="Print the cases and what each measures.")
@output_options
def command(
    *,
    env: Path | None,
    device: str | None,
    quick: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    list_: bool,
    output: Output,
) -> int:
    """Measure in ENV: products, convolution, attention, training, memory, copies, overhead.

    Without ENV: the active environment, else ./.venv. Beside each figure stands what the hardware can do: of a GPU
    the vendor's figure, of a CPU what was measured on it.

    \b
    torchdoctor bench --quick
    torchdoctor bench ~/envs/vision --device cpu --only matmul --json
    """
    from torchdoctor.proof import bench, cases_named

    if list_:
        _list(cases_named(only, skip, quick=quick), as_json=output.json)
        return 0
    with _Progress(shown=not output.quiet and not output.json) as progress:
        report = bench(
            environment_python(env), device=device, only=only, skip=skip, quick=quick, on_start=progress.case
        )
    if output.json:
        say_json(report.to_json())
    else:
        from rich.console import Console

        from torchdoctor.report.bench_table import render_bench

        render_bench(report, Console(soft_wrap=True))
    return 0 if report.passed else 1


def _list(names: list[str], *, as_json: bool) -> None:
    from torchdoctor.probe.suite import BENCH

    rows = [(step.id, step.proves) for step in BENCH if step.id in names]
    if as_json:
        say_json({"schema": 1, "cases": [{"id": name, "measures": what} for name, what in rows]})
        return
    for name, what in rows:
        click.echo(f"{name.ljust(28)} {what}")


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
        self._write(f"measuring {name}")

    def _write(self, text: str) -> None:
        if self._shown:
            click.echo(f"\r{text.ljust(60)}\r{text}", nl=False, err=True)
