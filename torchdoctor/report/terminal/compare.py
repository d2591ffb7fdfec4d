"""Comparison -> a table on the terminal: before, now, the change, and the noise that it must exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from torchdoctor.core.i18n import joined, message, translate
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.report.bench_texts import figure, title_of
from torchdoctor.report.terminal.table import Grid

if TYPE_CHECKING:
    from rich.console import Console

    from torchdoctor.bench.comparison import Comparison

__all__ = ["render_comparison"]

_STYLES = {"faster": "green", "slower": "red", "within noise": "dim"}


def render_comparison(comparison: Comparison, console: Console) -> None:
    """Print the comparison."""
    console.print()
    against = translate(message("against {name}", name=comparison.name))
    heads = (_("before"), _("now"), _("unit"), _("change"), _("noise"), "")
    grid = Grid(against, *heads, right=(1, 2, 4, 5))
    for change in comparison.changes:
        cells = (translate(title_of(change)), figure(change.before), figure(change.after), change.unit)
        cells_of_change = (f"{change.percent:+.1f}%", translate(change.noise_text), _(change.verdict))
        grid.add(*cells, *(Text(cell, style=_STYLES[change.verdict]) for cell in cells_of_change))
    grid.print_on(console)
    if comparison.mean_percent is not None:
        console.print(
            Text(
                translate(
                    message("geometric mean of the changes: {percent:+.1f}%", percent=comparison.mean_percent)
                )
            ),
            soft_wrap=True,
        )
    for text in comparison.differences:
        console.print(
            Text(translate(message("not the same: {text}", text=text)), style="yellow"), soft_wrap=True
        )
    for title, names in (
        (message("only before"), comparison.only_before),
        (message("only now"), comparison.only_after),
    ):
        if names:
            text = message("{what}: {why}", what=title, why=joined(names))
            console.print(Text(translate(text), style="dim"), soft_wrap=True)
