"""Environment -> BenchReport: measures speed, and sets it against what the hardware can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.bench.comparison import compare
    from torchdoctor.bench.measure import bench
    from torchdoctor.bench.model import BenchReport, BenchResult
    from torchdoctor.bench.saved_runs import load_run, save_run

__all__ = ["BenchReport", "BenchResult", "bench", "compare", "load_run", "save_run"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "comparison": ("compare",),
            "measure": ("bench",),
            "model": ("BenchReport", "BenchResult"),
            "saved_runs": ("load_run", "save_run"),
        },
    )
