"""Comparison -> a table on the terminal: before, now, the change and the noise it has to stand out from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from torchdoctor.language import gettext as _
from torchdoctor.message import joined, message, shown
from torchdoctor.report.bench_table import figure, title_of

if TYPE_CHECKING:
    from rich.console import Console

    from torchdoctor.compare import Comparison

__all__ = ["render_comparison"]

_STYLES = {"faster": "green", "slower": "red", "within noise": "dim"}


def render_comparison(comparison: Comparison, console: Console) -> None:
    """Print the comparison."""
    console.print()
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    table.add_column(Text(shown(message("against {name}", name=comparison.name))), overflow="fold")
    for title in (_("before"), _("now")):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column(_("unit"), no_wrap=True)
    for title in (_("change"), _("noise")):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in comparison.changes:
        cells = (shown(title_of(row)), figure(row.before), figure(row.after), row.unit)
        change = (f"{row.percent:+.1f}%", shown(row.noise_text), _(row.verdict))
        table.add_row(
            *(Text(cell) for cell in cells), *(Text(cell, style=_STYLES[row.verdict]) for cell in change)
        )
    console.print(table)
    if comparison.mean_percent is not None:
        console.print(
            Text(
                shown(
                    message("geometric mean of the changes: {percent:+.1f}%", percent=comparison.mean_percent)
                )
            ),
            soft_wrap=True,
        )
    for text in comparison.differences:
        console.print(Text(shown(message("not the same: {text}", text=text)), style="yellow"), soft_wrap=True)
    for title, names in (
        (message("only before"), comparison.only_before),
        (message("only now"), comparison.only_after),
    ):
        if names:
            told = message("{what}: {why}", what=title, why=joined(names))
            console.print(Text(shown(told), style="dim"), soft_wrap=True)
