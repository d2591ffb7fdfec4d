"""The peak of each figure: the vendor's dense figure of a GPU, the measured limit of a CPU.

Without a source there is no peak: it is never computed from a nominal clock.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import joined, message, plurals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["with_peak", "with_peaks"]

# The column of wheels_index' table of peaks for each dtype. It has none for float8 and int8.
_COLUMN_OF_DTYPE = {
    "float32": "fp32_tflops",
    "tf32": "tf32_tflops",
    "float16": "fp16_tflops",
    "bfloat16": "bf16_tflops",
}


def with_peaks(report: BenchReport) -> BenchReport:
    """Return the report with each figure's peak, its source and the share reached, where they are known."""
    return replace(report, results=tuple(with_peak(result, report.environment) for result in report.results))


def with_peak(result: BenchResult, environment: Mapping[str, Any]) -> BenchResult:
    """Return the result with its peak, the source of the peak and the share reached, where a peak is known."""
    find = _peak_of_cpu if result.device == "cpu" else _peak_of_gpu
    peak, source = find(result, environment)
    if peak is None or not result.value:
        return result
    share = round(result.value / peak, 4)
    return replace(result, peak=float(f"{peak:.5g}"), peak_source=source, share_of_peak=share)


def _peak_of_cpu(result: BenchResult, environment: Mapping[str, Any]) -> tuple[float | None, str | None]:
    limits = environment.get("cpu_limits") or {}
    one_core = (limits.get("one_core") or {}).get(result.dtype)
    if result.unit != "GFLOP/s" or one_core is None:
        return None, None
    cores = min(result.threads or environment.get("threads") or 1, limits["cores"])
    source = message(
        "measured here: {instruction} on a core {rate:g} GFLOP/s",
        instruction=one_core["instruction"],
        rate=one_core["gflops"],
    )
    return one_core["gflops"] * cores, joined([source, plurals.cores(cores)]) if cores > 1 else source


def _peak_of_gpu(result: BenchResult, environment: Mapping[str, Any]) -> tuple[float | None, str | None]:
    from wheels_index import peaks

    devices = {device["device"]: device for device in environment.get("devices") or ()}
    name = (devices.get(result.device) or {}).get("name")
    known = peaks(name) if name else None
    if known is None:
        return None, None
    if result.unit == "GB/s" and result.id.startswith("memory-"):
        peak, scale = known.bandwidth_gbs, 1.0
    elif result.unit == "GFLOP/s" and result.dtype in _COLUMN_OF_DTYPE:
        peak, scale = getattr(known, _COLUMN_OF_DTYPE[result.dtype]), 1e3
    else:
        return None, None
    if peak is None or known.source is None:
        return None, None
    return peak * scale, known.source
