"""What a figure could be at the most: the vendor's dense figure of a GPU, the measured limit of a CPU.

Where no source names a figure there is none: it is never computed from a nominal clock.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import joined, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["with_peaks"]

# What a case's dtype is called in the table of GPUs. float8 and int8 have no figures there.
_FIGURES = {
    "float32": "fp32_tflops",
    "tf32": "tf32_dense_tflops",
    "float16": "fp16_tensor_dense_tflops",
    "bfloat16": "bf16_tensor_dense_tflops",
}


def with_peaks(report: BenchReport) -> BenchReport:
    """The report with each figure's peak, source and share, where they are known."""
    return replace(report, results=tuple(_with_peak(result, report.environment) for result in report.results))


def _with_peak(result: BenchResult, environment: Mapping[str, Any]) -> BenchResult:
    find = _of_cpu if result.device == "cpu" else _of_gpu
    peak, source = find(result, environment)
    if peak is None or not result.value:
        return result
    share = round(result.value / peak, 4)
    return replace(result, peak=float(f"{peak:.5g}"), peak_source=source, share_of_peak=share)


def _of_cpu(result: BenchResult, environment: Mapping[str, Any]) -> tuple[float | None, str | None]:
    limits = environment.get("cpu_limits") or {}
    of_core = (limits.get("one_core") or {}).get(result.dtype)
    if result.unit != "GFLOP/s" or of_core is None:
        return None, None
    cores = min(result.threads or environment.get("threads") or 1, limits["cores"])
    one = message(
        "measured here: {instruction} on a core {rate:g} GFLOP/s",
        instruction=of_core["instruction"],
        rate=of_core["gflops"],
    )
    return of_core["gflops"] * cores, joined([one, plurals.cores(cores)]) if cores > 1 else one


def _of_gpu(result: BenchResult, environment: Mapping[str, Any]) -> tuple[float | None, str | None]:
    from wheels_index import gpu

    devices = {row["device"]: row for row in environment.get("devices") or ()}
    name = (devices.get(result.device) or {}).get("name")
    known = gpu(name) if name else None
    if known is None:
        return None, None
    if result.unit == "GB/s" and result.id.startswith("memory-"):
        peak, scale = known.bandwidth_gbs, 1.0
    elif result.unit == "GFLOP/s" and result.dtype in _FIGURES:
        peak, scale = getattr(known, _FIGURES[result.dtype]), 1e3
    else:
        return None, None
    source = known.figures_source or ""
    if not known.figures_checked:
        source = joined([source, message("not read again")])
    return (None, None) if peak is None else (peak * scale, source)
