"""BenchReport, and what else was found -> one page of HTML that needs no network and runs nothing.

Names of devices, hosts and paths come from elsewhere: the template escapes everything, the page's policy forbids
scripts, and styles but its own.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor._version import __version__
from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.catalog import current_language, gettext
from torchdoctor.core.i18n.messages import joined, message, transform, translate
from torchdoctor.report.html.roofline import roofline
from torchdoctor.report.terminal.bench import figure, remarks, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench import BenchReport, BenchResult
    from torchdoctor.bench.comparison import Comparison
    from torchdoctor.verify import VerifyReport

__all__ = ["bench_page"]

_FOLDER = Path(__file__).parent
# A change of so many per cent fills half of its cell.
_FULL_CHANGE = 25.0


def bench_page(
    report: BenchReport,
    *,
    checks: VerifyReport | None = None,
    comparison: Comparison | None = None,
    when: str,
) -> str:
    """The page; `when` is shown as it is."""
    import jinja2

    seen = () if checks is None else checks.checks
    style = (_FOLDER / "style.css").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
        finalize=lambda value: translate(value) if isinstance(value, str) and not hasattr(value, "__html__") else value,
    )  # fmt: skip
    engine.globals |= {"_": gettext, "shown": translate}
    return engine.get_template("bench.html").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=style,
        version=__version__,
        language={"zh": "zh-CN"}.get(current_language(), "en"),
        when=when,
        facts=_facts(report.environment, quick=report.quick),
        rows=[_row(result) for result in report.results if result.error is None],
        said=[(transform(text, _without_star), style) for text, style in remarks(report.results)],
        plots=[plot for plot in _plots(report) if plot is not None],
        sources=translate(
            joined(sorted({row.peak_source for row in report.results if row.peak_source}), "; ")
        ),
        checks=checks,
        tally=translate(_tally(checks)),
        troubled=[check for check in seen if check.status in ("fail", "warn")],
        sound=[check for check in seen if check.status not in ("fail", "warn")],
        comparison=comparison,
        changes=[_change(row) for row in comparison.changes] if comparison else (),
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
    said = {
        "fail": message("{count} failed", count=counts["fail"]),
        "warn": message("{count} with a warning", count=counts["warn"]),
        "pass": message("{count} passed", count=counts["pass"]),
        "skip": message("{count} do not apply", count=counts["skip"]),
    }
    return joined(said[status] for status, count in counts.items() if count)


def _facts(environment: Mapping[str, Any], *, quick: bool) -> list[tuple[str, str]]:
    devices = [row for row in environment.get("devices") or () if isinstance(row, dict)]
    names = [f"{row.get('device')}: {row['name']}" for row in devices if row.get("name")]
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
    rows = [
        ("torch", environment.get("torch")),
        ("Python", environment.get("python")),
        (message("devices"), "; ".join(names) or ("CPU" if devices else None)),
        ("CPU", clock),
        (message("threads"), environment.get("threads")),
        (message("run"), message("quick") if quick else message("full")),
    ]
    return [
        (translate(name), translate(value) if isinstance(value, str) else str(value))
        for name, value in rows
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


def _change(row: Any) -> dict[str, Any]:
    width = min(abs(row.percent) / _FULL_CHANGE, 1.0) * 50
    noise = min(row.noise_percent / _FULL_CHANGE, 1.0) * 50
    return {
        "title": title_of(row),
        "before": figure(row.before),
        "after": figure(row.after),
        "unit": row.unit,
        "percent": f"{row.percent:+.1f} %",
        "noise": row.noise_text,
        "verdict": row.verdict,
        "kind": row.verdict.replace(" ", "-"),
        "x": round(50 - width if row.percent < 0 else 50.0, 1),
        "width": round(width, 1),
        "noise_x": round(50 - noise, 1),
        "noise_width": round(2 * noise, 1),
    }
