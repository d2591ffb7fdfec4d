"""BenchReport -> a table on the terminal: a row a figure, with how far to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from torchdoctor.report.verify_table import environment_line

if TYPE_CHECKING:
    from rich.console import Console

    from torchdoctor.proof import BenchReport, BenchResult

__all__ = ["render_bench"]


def render_bench(report: BenchReport, console: Console) -> None:
    """Print the report."""
    console.print(environment_line(report.environment), soft_wrap=True)
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for title in ("case", "device", "dtype"):
        table.add_column(title, no_wrap=True)
    table.add_column("work", overflow="fold")
    for title in ("median", "best"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("IQR", justify="right", no_wrap=True)
    table.add_column("of peak", justify="right", no_wrap=True)
    for result in report.results:
        if result.error is None:
            table.add_row(*_cells(result))
    if table.row_count:
        console.print(table)
    for result in report.results:
        said = result.error or result.note
        if said:
            style = "red" if result.error else "yellow"
            console.print(Text(f"{result.id} on {result.device}: {said}", style=style), soft_wrap=True)


def _cells(result: BenchResult) -> list[str]:
    work = ", ".join(f"{name} {value}" for name, value in result.params.items())
    spread = f"{result.iqr_s / result.median_s:.0%}" if result.iqr_s is not None and result.median_s else ""
    share = f"{result.share_of_peak:.0%}" if result.share_of_peak is not None else ""
    figures = [_figure(result.value), _figure(result.best_value)]
    return [result.id, result.device, result.dtype or "", work, *figures, result.unit or "", spread, share]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"
