"""BenchReport -> JUnit XML: a case a figure, failed where there is none and where it became slower than allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.report.junit import junit_xml
from torchdoctor.report.terminal.bench import figure, title_of
from torchdoctor.verify import CheckResult, VerifyReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.bench import BenchReport, BenchResult
    from torchdoctor.bench.comparison import SpeedChange

__all__ = ["bench_junit"]


def bench_junit(report: BenchReport, slower: Sequence[SpeedChange] = ()) -> str:
    """The document; `slower` are the regressions that count."""
    lost = {title_of(change): change for change in slower}
    checks = tuple(_check(result, lost.get(title_of(result))) for result in report.results)
    return junit_xml(VerifyReport(environment=report.environment, checks=checks), suite_name="bench")


def _check(result: BenchResult, change: SpeedChange | None) -> CheckResult:
    detail = result.error or f"{figure(result.value)} {result.unit}"
    if change is not None:
        detail += f": {change.percent:+.1f} %, beyond the noise of {change.noise_percent:.1f} %"
    return CheckResult(
        id=title_of(result),
        device=result.device,
        status="fail" if result.error or change is not None else "pass",
        seconds=result.seconds,
        detail=detail,
        evidence=result.evidence,
    )
