"""What verify found, and how it reads as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CheckResult", "Status", "VerifyReport"]

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
