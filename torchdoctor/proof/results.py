"""What verify and bench found, and how it reads as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BenchReport", "BenchResult", "CheckResult", "Status", "VerifyReport"]

SCHEMA = 1

Status = Literal["pass", "fail", "skip", "warn"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One check on one device. `evidence` is what was seen of a failure: a traceback, or the end of its stderr."""

    id: str
    device: str
    status: Status
    seconds: float
    detail: str
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's object, with `evidence` added where there is some."""
        values = asdict(self) | {"evidence": list(self.evidence)}
        return values if self.evidence else {name: values[name] for name in values if name != "evidence"}


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """Every check, in the order in which it ran, and what the environment is as far as it was seen."""

    environment: Mapping[str, Any]
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Nothing failed. A skip and a warning are no failures."""
        return not any(check.status == "fail" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The contract's document."""
        return {
            "schema": SCHEMA,
            "environment": dict(self.environment),
            "checks": [check.to_json() for check in self.checks],
            "passed": self.passed,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchResult:
    """One figure, or the `error` for which there is none.

    `value` follows from the median; `best_value` from the best repeat, which on a busy machine is nearer to what the
    hardware can do. `cpu_share` is how much of its threads' time the work got, on the CPU.
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
    images_per_s: float | None = None
    cpu_share: float | None = None
    peak: float | None = None
    share_of_peak: float | None = None
    note: str | None = None
    error: str | None = None
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's object, with the other figures added."""
        return asdict(self) | {"params": dict(self.params), "evidence": list(self.evidence)}


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchReport:
    """Every figure, and what the environment is as far as it was seen."""

    environment: Mapping[str, Any]
    results: tuple[BenchResult, ...]

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
        }
