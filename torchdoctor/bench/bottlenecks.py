"""Why a figure is far below its peak: the first cause for which a sign was measured, never a guess without one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import joined, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["GOOD_SHARE_OF_PEAK", "with_causes"]

# Large matrix products and copies on a quiet machine reach 0.8 to 0.95; below this something is in the way.
GOOD_SHARE_OF_PEAK = 0.7
# A matrix product below this size (n, by kind of device) is as much overhead as arithmetic.
_SMALL_MATRIX = {"cpu": 1024, "cuda": 4096, "xpu": 4096}
_HOT_CELSIUS = 80
# A clock below this share of its highest value is slow.
_SLOW_CLOCK_SHARE = 0.85


def with_causes(report: BenchReport) -> BenchReport:
    """Return the report with a cause for each low share of the peak."""
    bandwidth = _best_bandwidth(report)
    return replace(
        report, results=tuple(with_cause(result, report.environment, bandwidth) for result in report.results)
    )


def with_cause(result: BenchResult, environment: Mapping[str, Any], bandwidth: float | None) -> BenchResult:
    """Return the result with the cause of a low share. `bandwidth` is the device's memory bandwidth in GB/s."""
    if result.error is not None:
        return result
    if result.busy:
        share = result.cpu_share or 0
        cause: str | None = message("machine busy: got {share:.0%} of the CPU time it wanted", share=share)
        return replace(result, cause=cause)
    if result.share_of_peak is None or result.share_of_peak >= GOOD_SHARE_OF_PEAK:
        return result
    cause = _in_gpu(result.telemetry or {}) or _in_cpu(result, environment) or _in_work(result, bandwidth)
    return replace(result, cause=cause or message("no sign of a cause was seen"))


def _in_gpu(telemetry: Mapping[str, Any]) -> str | None:
    if reasons := telemetry.get("throttle_reasons"):
        return message(
            "the GPU was held back: {reasons}{conditions}",
            reasons=joined(reasons),
            conditions=_conditions(telemetry),
        )
    clock, highest = telemetry.get("clock_mhz"), telemetry.get("highest_clock_mhz")
    if clock and highest and clock < _SLOW_CLOCK_SHARE * highest:
        return message(
            "the GPU ran at {clock:.0f} of {highest:.0f} MHz{conditions}",
            clock=clock,
            highest=highest,
            conditions=_conditions(telemetry),
        )
    return None


def _conditions(telemetry: Mapping[str, Any]) -> str:
    """A high temperature and the power, in brackets."""
    signs = []
    celsius, power, limit = (telemetry.get(name) for name in ("temperature_c", "power_w", "power_limit_w"))
    if celsius is not None and celsius >= _HOT_CELSIUS:
        signs.append(f"{celsius:.0f} °C")
    if power and limit:
        signs.append(message("{power:.0f} of {limit:.0f} W", power=power, limit=limit))
    return message(" ({signs})", signs=joined(signs)) if signs else ""


def _in_cpu(result: BenchResult, environment: Mapping[str, Any]) -> str | None:
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


def _in_work(result: BenchResult, bandwidth: float | None) -> str | None:
    kind = result.device.partition(":")[0]
    n = result.params.get("n")
    if result.id.startswith("matmul") and n is not None and n < _SMALL_MATRIX.get(kind, 0):
        return message("small matrices: n = {n} is overhead as much as arithmetic", n=n)
    if result.flop and result.bytes and bandwidth and result.peak:
        reachable = min(result.peak, result.flop / result.bytes * bandwidth)
        if reachable < GOOD_SHARE_OF_PEAK * result.peak:
            return message(
                "bound by memory: at {roof:.0f} GB/s it could reach {reachable:,.0f} GFLOP/s",
                roof=bandwidth,
                reachable=reachable,
            )
    if result.id.startswith(("conv", "attention")):
        return message(
            "the layer's kernel: the same device's matrix product shows whether the device is at fault"
        )
    return None


def _best_bandwidth(report: BenchReport) -> float | None:
    """The highest memory bandwidth that was measured, in GB/s."""
    measured = [
        result.best_value
        for result in report.results
        if result.id in ("memory-copy", "memory-triad") and result.best_value
    ]
    return max(measured, default=None)
