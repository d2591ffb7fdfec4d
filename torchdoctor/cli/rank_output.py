"""How a run of several ranks is told: by one of them, or by all that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.cli.output import print_json

if TYPE_CHECKING:
    from torchdoctor.bench.distributed_report import DistributedReport
    from torchdoctor.cli.output import Output

__all__ = ["print_ranks"]


def print_ranks(report: DistributedReport, output: Output) -> int:
    """Print the report where it is ours to print; the exit status."""
    # Of many that torchrun or srun has started the first speaks, and each that has something to say of a failure.
    if report.rank in (None, 0) or report.troubles:
        if output.json:
            print_json(report.to_json())
        else:
            from torchdoctor.report.terminal.distributed import render_distributed
            from torchdoctor.report.terminal.table import make_console

            render_distributed(report, make_console())
    return 0 if report.passed else 1
