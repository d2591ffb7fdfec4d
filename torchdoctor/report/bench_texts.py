"""How a benchmark's figures are named and worded, on the terminal, in HTML and in JUnit XML alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchdoctor.bench import BenchResult
    from torchdoctor.bench.comparison import SpeedChange

__all__ = ["figure", "remarks", "title_of"]


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
    """Return what there is to know of the figures, each with its style of `rich`: errors, causes, notes.

    A remark that several figures share is given once, with the names of all.
    """
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
    return [
        *_busy(results),
        *(
            (message("{what}: {why}", what=joined(names), why=text), style)
            for (text, style), names in lines.items()
        ),
    ]


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
