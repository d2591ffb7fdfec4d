"""DistributedReport -> text on the terminal: the ranks, bus bandwidth by size, which ranks failed or are slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from torchdoctor.core.i18n import joined, message, plurals, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.report.bench_texts import figure, remarks
from torchdoctor.report.terminal.table import Grid

if TYPE_CHECKING:
    from rich.console import Console

    from torchdoctor.bench.distributed_report import DistributedReport

__all__ = ["render_distributed"]

_MAX_EVIDENCE_LINES = 12
_MIB = 1 << 20


def render_distributed(report: DistributedReport, console: Console) -> None:
    """Print the report."""
    head = message("{ranks} by {launcher}", ranks=plurals.ranks(report.size), launcher=report.launcher)
    head = joined(filter(None, (head, report.backend)))
    console.print(Text(translate(head), style="bold"), soft_wrap=True)
    for rank in sorted(report.ranks):
        facts = report.ranks[rank]
        build = ", ".join(
            f"{key} {facts[key]}" for key in ("torch", "cuda", "nccl", "driver") if facts.get(key)
        )
        console.print(Text(f"  {translate(report.name(rank))}: {build}"), soft_wrap=True)
    if report.results:
        _bandwidths(report).print_on(console)
        for text, style in remarks(report.results):
            console.print(Text(translate(text), style=style), soft_wrap=True)
    for slowest in report.slowest():
        style = "yellow" if slowest.suspicious else ""
        console.print(Text(translate(slowest.text), style=style), soft_wrap=True)
    for difference in report.differences:
        text = message("not the same: {text}", text=difference.text)
        console.print(Text(translate(text), style="red"), soft_wrap=True)
    for trouble in report.troubles:
        failed = message(
            "{name} failed in {stage}: {detail}",
            name=report.name(trouble.rank),
            stage=trouble.stage,
            detail=trouble.detail,
        )
        console.print(Text(translate(failed), style="bold red"), soft_wrap=True)
    for line in report.evidence[-_MAX_EVIDENCE_LINES:]:
        console.print(Text(f"  {line}", style="dim"), soft_wrap=True)
    if report.passed:
        console.print(
            Text(_("all ranks run the same versions, and their sum is correct"), style="green"),
            soft_wrap=True,
        )


def _bandwidths(report: DistributedReport) -> Grid:
    heads = (_("collective"), _("size"), _("time"), _("bus bandwidth"), _("best"))
    grid = Grid(*heads, right=(1, 2, 3, 4))
    for result in sorted(report.results, key=lambda result: result.id):
        size = result.params["bytes"]
        text = f"{size / _MIB:g} MiB" if size >= _MIB else f"{size / 1024:g} KiB"
        time = f"{(result.median_s or 0) * 1e3:.3g} ms"
        grid.add(result.id, text, time, f"{figure(result.value)} GB/s", f"{figure(result.best_value)} GB/s")
    return grid
