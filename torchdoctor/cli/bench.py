"""`torchdoctor bench [ENV]`: how fast it is, on the best device there is."""

from __future__ import annotations

from pathlib import Path

import click

from torchdoctor.cli.options import Output, output_options
from torchdoctor.cli.place import environment_python, say_json

__all__ = ["command"]


@click.command("bench", short_help="Measure matmul, autograd and convolution.")
@click.argument("env", required=False, type=click.Path(path_type=Path))
@click.option("--device", metavar="NAME", help="cpu, cuda:0, xpu:0, mps; the best there is without it.")
@output_options
def command(*, env: Path | None, device: str | None, output: Output) -> int:
    """Measure matmul, autograd and convolution in ENV.

    Without ENV: the active environment, else ./.venv.

    \b
    torchdoctor bench
    torchdoctor bench ~/envs/vision --device cpu --json
    """
    from torchdoctor.proof import bench

    report = bench(environment_python(env), device=device)
    if output.json:
        say_json(report.to_json())
    else:
        from rich.console import Console

        from torchdoctor.report.bench_table import render_bench

        render_bench(report, Console(soft_wrap=True))
    return 0 if report.passed else 1
