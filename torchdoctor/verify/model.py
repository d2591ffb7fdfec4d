"""The results of verify, and their JSON."""

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
    """One check on one device.

    `seconds` is how long it took, `detail` a sentence with its figures. `code` is a stable word for a known reason of a
    failure, warning or skip; the sentence may change, the code does not. `evidence` is what is left of a failure: lines
    of a traceback or of standard error.
    """

    id: str
    device: str
    status: Status
    seconds: float
    detail: str
    code: str | None = None
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object of the JSON contract; `code` and `evidence` are left out where there is none."""
        values = asdict(self) | {"evidence": list(self.evidence)}
        return {name: value for name, value in values.items() if value or name not in ("code", "evidence")}


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyReport:
    """The results of all checks, in the order in which they ran.

    `environment` is what the probe reported of the environment: versions, build and devices.
    """

    environment: Mapping[str, Any]
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed. Skips and warnings are not failures."""
        return not any(check.status == "fail" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the document of the JSON contract."""
        return {
            "schema": SCHEMA,
            "environment": dict(self.environment),
            "checks": [check.to_json() for check in self.checks],
            "passed": self.passed,
        }
