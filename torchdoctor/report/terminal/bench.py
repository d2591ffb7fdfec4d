"""BenchReport -> a table on the terminal: a row for each figure, with a bar for its share of the peak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from torchdoctor.core.i18n import joined, message, plurals, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.report.bench_texts import figure, remarks, title_of
from torchdoctor.report.terminal.table import Grid
from torchdoctor.report.terminal.verify import environment_line

if TYPE_CHECKING:
    from rich.console import Console

    from torchdoctor.bench import BenchReport, BenchResult

__all__ = ["figure", "remarks", "render_bench", "title_of"]

_BAR_LENGTH = 10  # characters


def render_bench(report: BenchReport, console: Console) -> None:
    """Print the report."""
    console.print(environment_line(report.environment), soft_wrap=True)
    if limits := _limits(report):
        console.print(Text(translate(limits), style="dim"), soft_wrap=True)
    grid = Grid(_("case"), _("median"), _("best"), _("unit"), "IQR", _("of peak"), right=(1, 2, 4))
    for result in report.results:
        if result.error is None:
            grid.add(*_cells(result, console))
    grid.print_on(console)
    for text, style in remarks(report.results):
        console.print(Text(translate(text), style=style), soft_wrap=True)


def _limits(report: BenchReport) -> str | None:
    limits = report.environment.get("cpu_limits") or {}
    if not limits.get("clock_ghz"):
        return None
    rates = joined(f"{dtype} {limit['gflops']:,.0f}" for dtype, limit in limits["one_core"].items())
    return message(
        "measured limits of a core: {clock:.2f} GHz; GFLOP/s: {rates}; {cores}",
        clock=limits["clock_ghz"],
        rates=rates,
        cores=plurals.cores(limits["cores"]),
    )


def _cells(result: BenchResult, console: Console) -> list[str]:
    spread = f"{result.iqr_s / result.median_s:.0%}" if result.iqr_s is not None and result.median_s else ""
    busy = "*" if result.busy else ""
    return [
        translate(title_of(result)),
        figure(result.value) + busy,
        figure(result.best_value),
        result.unit or "",
        spread,
        _bar(result.share_of_peak, console),
    ]


def _bar(share: float | None, console: Console) -> str:
    """Ten places, whole and half, and the share in per cent."""
    if share is None:
        return ""
    full, half, rest = "█▌·"
    try:
        (full + half + rest).encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        full, half, rest = "#-."
    halves = round(min(max(share, 0.0), 1.0) * _BAR_LENGTH * 2)
    bar = full * (halves // 2) + half * (halves % 2)
    return f"{bar.ljust(_BAR_LENGTH, rest)} {share:.0%}"
