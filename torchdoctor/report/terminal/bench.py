"""BenchReport -> a table on the terminal: a row a figure, a bar for its share of the peak, how far to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.catalog import gettext as _
from torchdoctor.core.i18n.messages import joined, message, plural, translate
from torchdoctor.report.terminal.table import Grid
from torchdoctor.report.terminal.verify import environment_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from torchdoctor.bench import BenchReport, BenchResult
    from torchdoctor.bench.comparison import SpeedChange

__all__ = ["figure", "remarks", "render_bench", "title_of"]

_BAR = 10


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


def title_of(result: BenchResult | SpeedChange) -> str:
    """A case in a few words: what, in which dtype, how large, and where unless on the CPU."""
    words = [result.id]
    if result.dtype and result.id.startswith(("matmul", "attention", "transformer")):
        words.append(result.dtype)
    words += [
        f"{name}={result.params[name]}" for name in ("n", "mib", "pinned", "workers") if name in result.params
    ]
    title = " ".join(words)
    if result.device == "cpu":
        return title
    return message("{what} on {device}", what=title, device=result.device)


def remarks(results: Iterable[BenchResult]) -> list[tuple[str, str]]:
    """What is to be known of the figures, and its style: errors, causes, notes. What several share is said once."""
    results = list(results)
    lines: dict[tuple[str, str], list[str]] = {}
    for result in results:
        name = title_of(result)
        if result.error:
            lines.setdefault((result.error, "red"), []).append(name)
        elif result.cause and not result.busy:
            low = message(
                "{share:.0%} of the peak: {cause}", share=result.share_of_peak or 0, cause=result.cause
            )
            lines.setdefault((low, "yellow"), []).append(name)
        if result.note and not result.error:
            lines.setdefault((result.note, "dim"), []).append(name)
    told = [
        (message("{what}: {why}", what=joined(names), why=text), style)
        for (text, style), names in lines.items()
    ]
    return [*_busy(results), *told]


def _busy(results: Iterable[BenchResult]) -> list[tuple[str, str]]:
    shares = [result.cpu_share or 0 for result in results if result.busy]
    if not shares:
        return []
    least, most = min(shares), max(shares)
    text = plural(
        len(shares),
        message(
            "* machine busy: this got {least:.0%} of the CPU time it wanted; the figure is of the fastest tenth of "
            "the calls, and may still be too low",
            least=least,
        ),
        message(
            "* machine busy: {count} of these got {least:.0%} to {most:.0%} of the CPU time they "
            "wanted; these figures are of the fastest tenth of the calls, and may still be too low",
            count=len(shares),
            least=least,
            most=most,
        ),
    )
    return [(text, "yellow")]


def figure(value: float | None) -> str:
    """A number with four figures or all before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004


def _limits(report: BenchReport) -> str | None:
    limits = report.environment.get("cpu_limits") or {}
    if not limits.get("clock_ghz"):
        return None
    rates = joined(f"{dtype} {row['gflops']:,.0f}" for dtype, row in limits["one_core"].items())
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
    halves = round(min(max(share, 0.0), 1.0) * _BAR * 2)
    bar = full * (halves // 2) + half * (halves % 2)
    return f"{bar.ljust(_BAR, rest)} {share:.0%}"
