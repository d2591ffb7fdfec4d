"""The results of bench, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  (core.serde reads the types of the fields)
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["MIN_CPU_SHARE", "BenchReport", "BenchResult"]

SCHEMA = 1

# An undisturbed round gets 0.97 to 1.00 of the CPU time it wants; below this the figure is that of a busy machine.
MIN_CPU_SHARE = 0.97


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchResult:
    """One figure, or the `error` because of which there is none.

    `value` in `unit` follows from `median_s`: the median of the undisturbed rounds, or of the fastest tenth of the
    calls where nearly all were disturbed. `best_value` follows from `best_s`, the best round's low quantile. `rounds_s`
    are the rounds' medians (their low quantiles where all were disturbed). All of these are in seconds per call, and so
    is the interquartile range `iqr_s`; `seconds` is what the whole case took. `cpu_share` is how much the work got of
    the CPU time it wanted. `flop` and `bytes` are the least that a call computes and moves. `peak` has the unit of
    `value` and comes from `peak_source`; `cause` says why `share_of_peak` is low.
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
        """Whether the machine was too busy to trust the figure."""
        return self.cpu_share is not None and self.cpu_share < MIN_CPU_SHARE

    def to_json(self) -> dict[str, Any]:
        """Return the object of the JSON contract."""
        values = asdict(self) | {"params": dict(self.params), "busy": self.busy}
        return values | {"rounds_s": list(self.rounds_s), "evidence": list(self.evidence)}


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchReport:
    """Every figure, and what the probe reported of the environment. `quick` says that some cases were left out."""

    environment: Mapping[str, Any]
    results: tuple[BenchResult, ...]
    quick: bool = False

    @property
    def passed(self) -> bool:
        """Whether no case failed."""
        return not any(result.error for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """Return the document of the JSON contract."""
        return {
            "schema": SCHEMA,
            "environment": dict(self.environment),
            "results": [result.to_json() for result in self.results],
            "quick": self.quick,
        }
