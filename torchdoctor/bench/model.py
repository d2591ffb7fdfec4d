"""What bench measured, and how it reads as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BUSY", "BenchReport", "BenchResult"]

SCHEMA = 1

# A clean round gets 0.97 to 1.00 of the CPU time it wants, so below this the figure is the neighbours' as well.
BUSY = 0.97


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchResult:
    """One figure, or the `error` for which there is none.

    `value` follows from `median_s`, the median of the rounds that were not disturbed, or of the fastest tenth of the
    calls where nearly all were; `best_value` from the best round's low quantile. `rounds_s` are the rounds' medians
    (their low quantiles where all were disturbed), in seconds a call. `cpu_share` is how much of the CPU time that it
    wanted the work got. `flop` and `bytes` are what a call does at the least. `peak` has the unit of `value` and comes
    from `peak_source`; `cause` is why the share is low.
    """

    id: str
    device: str
    seconds: float
    dtype: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None
    unit: str | None = None
    median_s: float | None = None
    iqr_s: float | None = None
    repeats: int | None = None
    best_value: float | None = None
    best_s: float | None = None
    rounds_s: tuple[float, ...] = ()
    rounds_disturbed: int | None = None
    cpu_share: float | None = None
    threads: int | None = None
    flop: float | None = None
    bytes: float | None = None
    peak: float | None = None
    share_of_peak: float | None = None
    peak_source: str | None = None
    cause: str | None = None
    telemetry: Mapping[str, Any] | None = None
    note: str | None = None
    error: str | None = None
    evidence: tuple[str, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether the machine was too busy for the figure to be its own."""
        return self.cpu_share is not None and self.cpu_share < BUSY

    def to_json(self) -> dict[str, Any]:
        """The contract's object, with the other figures added."""
        values = asdict(self) | {"params": dict(self.params), "busy": self.busy}
        return values | {"rounds_s": list(self.rounds_s), "evidence": list(self.evidence)}


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchReport:
    """Every figure, and what the environment is as far as it was seen."""

    environment: Mapping[str, Any]
    results: tuple[BenchResult, ...]
    quick: bool = False

    @property
    def passed(self) -> bool:
        """Every figure asked for is there."""
        return not any(result.error for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """The contract's document."""
        return {
            "schema": SCHEMA,
            "environment": dict(self.environment),
            "results": [result.to_json() for result in self.results],
            "quick": self.quick,
        }
