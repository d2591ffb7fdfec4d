"""A benchmark, with the checks and a comparison where there are some -> one HTML page.

Names of devices, hosts and paths come from elsewhere: the template escapes everything, and the page's policy forbids
scripts and every style but its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor._version import __version__
from torchdoctor.core.i18n import current_language, joined, message, plurals, translate
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.core.i18n.messages import transform
from torchdoctor.report.bench_texts import figure, remarks, title_of
from torchdoctor.report.html.engine import page_engine, read_style, style_digest
from torchdoctor.report.html.roofline import roofline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench import BenchReport, BenchResult
    from torchdoctor.bench.comparison import Comparison, SpeedChange
    from torchdoctor.verify import VerifyReport

__all__ = ["bench_page"]

# A change of this size fills half of its cell.
_FULL_CHANGE_PERCENT = 25.0


def bench_page(
    report: BenchReport,
    *,
    checks: VerifyReport | None = None,
    comparison: Comparison | None = None,
    when: str,
) -> str:
    """Return the page, in the user's language; `when` is shown as it is."""
    results = () if checks is None else checks.checks
    style = read_style("bench.css").strip()
    engine = page_engine(translated=True)
    engine.globals |= {"_": gettext, "shown": translate}
    return engine.get_template("bench.html").render(
        policy=f"default-src 'none'; style-src 'sha256-{style_digest(style)}'; base-uri 'none'; form-action 'none'",
        style=style,
        version=__version__,
        language={"zh": "zh-CN"}.get(current_language(), "en"),
        when=when,
        facts=_facts(report.environment, quick=report.quick),
        rows=[_row(result) for result in report.results if result.error is None],
        remarks=[(transform(text, _without_star), kind) for text, kind in remarks(report.results)],
        plots=[plot for plot in _plots(report) if plot is not None],
        sources=translate(
            joined(sorted({result.peak_source for result in report.results if result.peak_source}), "; ")
        ),
        checks=checks,
        tally=translate(_tally(checks)),
        troubled=[check for check in results if check.status in ("fail", "warn")],
        sound=[check for check in results if check.status not in ("fail", "warn")],
        comparison=comparison,
        changes=[_change(change) for change in comparison.changes] if comparison else (),
    )


def _without_star(text: str) -> str:
    return text.removeprefix("* ")


def _plots(report: BenchReport) -> list[Any]:
    # A drawing's letters shrink with it, so a phone gets a drawing of its own.
    return [roofline(report, width=720, height=400), roofline(report, width=360, height=380)]


def _tally(checks: VerifyReport | None) -> str:
    counts = {
        status: sum(check.status == status for check in checks.checks) if checks else 0
        for status in ("fail", "warn", "pass", "skip")
    }
    texts = {
        "fail": message("{count} failed", count=counts["fail"]),
        "warn": message("{count} with a warning", count=counts["warn"]),
        "pass": message("{count} passed", count=counts["pass"]),
        "skip": message("{count} do not apply", count=counts["skip"]),
    }
    return joined(texts[status] for status, count in counts.items() if count)


def _facts(environment: Mapping[str, Any], *, quick: bool) -> list[tuple[str, str]]:
    devices = [device for device in environment.get("devices") or () if isinstance(device, dict)]
    names = [f"{device.get('device')}: {device['name']}" for device in devices if device.get("name")]
    limits = environment.get("cpu_limits") or {}
    clock = (
        message(
            "{clock:.2f} GHz measured, {cores}",
            clock=limits["clock_ghz"],
            cores=plurals.cores(limits["cores"]),
        )
        if limits.get("clock_ghz")
        else None
    )
    facts = [
        ("torch", environment.get("torch")),
        ("Python", environment.get("python")),
        (message("devices"), "; ".join(names) or ("CPU" if devices else None)),
        ("CPU", clock),
        (message("threads"), environment.get("threads")),
        (message("run"), message("quick") if quick else message("full")),
    ]
    return [
        (translate(name), translate(value) if isinstance(value, str) else str(value))
        for name, value in facts
        if value not in (None, "")
    ]


def _row(result: BenchResult) -> dict[str, Any]:
    spread = (
        message("IQR {share:.0%}", share=result.iqr_s / result.median_s)
        if result.iqr_s is not None and result.median_s
        else ""
    )
    share = result.share_of_peak
    return {
        "title": title_of(result),
        "value": figure(result.value),
        "unit": result.unit,
        "aside": joined(
            (part for part in (message("best {value}", value=figure(result.best_value)), spread) if part),
            " · ",
        ),
        "busy": f"{result.cpu_share:.0%}" if result.busy else None,
        "share": None if share is None else f"{share:.0%}",
        "width": None if share is None else round(min(max(share, 0.0), 1.0) * 100, 1),
        "peak": message("of {peak}", peak=figure(result.peak)),
    }


def _change(change: SpeedChange) -> dict[str, Any]:
    width = min(abs(change.percent) / _FULL_CHANGE_PERCENT, 1.0) * 50
    noise = min(change.noise_percent / _FULL_CHANGE_PERCENT, 1.0) * 50
    return {
        "title": title_of(change),
        "before": figure(change.before),
        "after": figure(change.after),
        "unit": change.unit,
        "percent": f"{change.percent:+.1f} %",
        "noise": change.noise_text,
        "verdict": change.verdict,
        "kind": change.verdict.replace(" ", "-"),
        "x": round(50 - width if change.percent < 0 else 50.0, 1),
        "width": round(width, 1),
        "noise_x": round(50 - noise, 1),
        "noise_width": round(2 * noise, 1),
    }
