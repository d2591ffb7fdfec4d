"""Why a figure is far below its peak: the first cause that what was seen speaks for, never a guess without a sign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import joined, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["GOOD_SHARE_OF_PEAK", "with_causes"]

# Large matrix products and copies in a quiet machine reach 0.8 to 0.95; below this something is in the way.
GOOD_SHARE_OF_PEAK = 0.7
# A product so small is as much overhead as arithmetic.
_SMALL = {"cpu": 1024, "cuda": 4096, "xpu": 4096}
_HOT = 80
_SLOW_CLOCK = 0.85


def with_causes(report: BenchReport) -> BenchReport:
    """The report with a cause beside each share that is low."""
    roof = _bandwidth(report)
    return replace(
        report, results=tuple(_with_cause(result, report.environment, roof) for result in report.results)
    )


def _with_cause(result: BenchResult, environment: Mapping[str, Any], roof: float | None) -> BenchResult:
    if result.error is not None or (not result.busy and result.share_of_peak is None):
        return result
    if result.busy:
        return replace(
            result,
            cause=message(
                "machine busy: got {share:.0%} of the CPU time it wanted", share=result.cpu_share or 0
            ),
        )
    if (result.share_of_peak or 0) >= GOOD_SHARE_OF_PEAK:
        return result
    cause = _of_gpu(result.telemetry or {}) or _of_cpu(result, environment) or _of_work(result, roof)
    return replace(result, cause=cause or message("no sign of a cause was seen"))


def _of_gpu(seen: Mapping[str, Any]) -> str | None:
    if reasons := seen.get("throttle_reasons"):
        return message(
            "the GPU was held back: {reasons}{conditions}",
            reasons=joined(reasons),
            conditions=_conditions(seen),
        )
    clock, highest = seen.get("clock_mhz"), seen.get("highest_clock_mhz")
    if clock and highest and clock < _SLOW_CLOCK * highest:
        return message(
            "the GPU ran at {clock:.0f} of {highest:.0f} MHz{conditions}",
            clock=clock,
            highest=highest,
            conditions=_conditions(seen),
        )
    return None


def _conditions(seen: Mapping[str, Any]) -> str:
    texts = []
    if seen.get("temperature_c") is not None and seen["temperature_c"] >= _HOT:
        texts.append(f"{seen['temperature_c']:.0f} °C")
    if seen.get("power_w") and seen.get("power_limit_w"):
        texts.append(
            message("{power:.0f} of {limit:.0f} W", power=seen["power_w"], limit=seen["power_limit_w"])
        )
    return message(" ({signs})", signs=joined(texts)) if texts else ""


def _of_cpu(result: BenchResult, environment: Mapping[str, Any]) -> str | None:
    if result.device != "cpu":
        return None
    threads = result.threads or environment.get("threads")
    cores = (environment.get("cpu_limits") or {}).get("cores")
    if threads and cores and threads > cores:
        return message(
            "{threads} threads on {cores} cores wait for each other: set OMP_NUM_THREADS={cores}",
            threads=threads,
            cores=cores,
        )
    return None


def _of_work(result: BenchResult, roof: float | None) -> str | None:
    kind = result.device.partition(":")[0]
    if result.id.startswith("matmul") and result.params.get("n", 1 << 30) < _SMALL.get(kind, 0):
        return message("small matrices: n = {n} is overhead as much as arithmetic", n=result.params["n"])
    if result.flop and result.bytes and roof and result.peak:
        reachable = min(result.peak, result.flop / result.bytes * roof)
        if reachable < GOOD_SHARE_OF_PEAK * result.peak:
            return message(
                "bound by memory: at {roof:.0f} GB/s it could reach {reachable:,.0f} GFLOP/s",
                roof=roof,
                reachable=reachable,
            )
    if result.id.startswith(("conv", "attention")):
        return message(
            "the layer's kernel: the same device's matrix product tells whether the device is at fault"
        )
    return None


def _bandwidth(report: BenchReport) -> float | None:
    """The best bandwidth of memory that was measured, GB/s."""
    seen = [
        result.best_value
        for result in report.results
        if result.id in ("memory-copy", "memory-triad") and result.best_value
    ]
    return max(seen, default=None)
