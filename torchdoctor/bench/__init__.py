"""Environment -> BenchReport: speed, as a share of what the hardware can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.bench.model import BenchReport, BenchResult

__all__ = ["BenchReport", "BenchResult"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "model": (
                "BenchReport",
                "BenchResult",
            ),
        },
    )
