"""A check-up and its findings -> the lines of the doctor: what was looked at, how it is, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.catalogue import failures_by_id
from torchdoctor.diagnose.failure import Layer
from torchdoctor.diagnose.verify_findings import package_cause_ids
from torchdoctor.doctor.checks import CHECKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.checks import Mark
    from torchdoctor.doctor.model import CheckUp

__all__ = ["CheckLine", "check_for", "check_lines"]

_BY_LAYER = {
    Layer.HARDWARE: "gpu.devices",
    Layer.KERNEL_MODULE: "gpu.driver",
    Layer.DEVICE_NODES: "gpu.access",
    Layer.DRIVER_LIBRARY: "gpu.driver",
    Layer.CONTAINER: "gpu.access",
    Layer.SYSTEM: "machine.system",
    Layer.INSTALL: "environment.packages",
    Layer.WHEEL: "pytorch.build",
    Layer.COMPANIONS: "pytorch.companions",
    Layer.PACKAGES: "packages.requirements",
    Layer.ENVIRONMENT: "environment.path",
    Layer.NOTEBOOK: "kernels.specs",
    Layer.RUNTIME: "pytorch.import",
}
_RANK: dict[str, int] = {"ok": 0, "unknown": 1, "note": 1, "warning": 2, "error": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckLine:
    """The result of one check."""

    id: str  # `section.name`
    mark: Mark
    text: str
    evidence: tuple[str, ...] = ()  # a line for each fact that shows it
    findings: tuple[str, ...] = ()  # the ids of what is wrong there

    @property
    def section(self) -> str:
        """The part of the check-up that it belongs to, such as `gpu`."""
        return self.id.partition(".")[0]

    def to_json(self) -> dict[str, Any]:
        """Return the line as it stands in `--json`."""
        return {
            "id": self.id,
            "status": self.mark,
            "text": self.text,
            "evidence": list(self.evidence),
            "findings": list(self.findings),
        }


def check_for(finding: Finding) -> str:
    """Return the id of the check to which a finding belongs, by the finding's layer."""
    failure = failures_by_id().get(finding.id)
    if failure is None and finding.id in package_cause_ids():
        return "packages.import"
    return _BY_LAYER[failure.layer if failure is not None else Layer.RUNTIME]


def check_lines(
    check_up: CheckUp, findings: Sequence[Finding], checks: Sequence[str]
) -> tuple[CheckLine, ...]:
    """Return a line for each of the `checks`, by id; the worst finding that belongs to one gives its mark."""
    return tuple(_check_line(check, check_up, findings) for check in checks)


def _check_line(check: str, check_up: CheckUp, findings: Sequence[Finding]) -> CheckLine:
    description = CHECKS[check].describe(check_up)
    own = [finding for finding in findings if check_for(finding) == check]
    worst = max((*(finding.severity for finding in own), description.mark), key=_RANK.__getitem__)
    return CheckLine(
        id=check,
        mark="ok" if worst == "note" else worst,
        text=description.text,
        evidence=description.evidence,
        findings=tuple(finding.id for finding in own),
    )
