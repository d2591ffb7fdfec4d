"""Seen and findings -> the lines of the check-up: what was looked at, how it is, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.diagnose.rule import Layer
from torchdoctor.diagnose.rules import RULES
from torchdoctor.doctor.checks import CHECKS, CheckText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.model import CheckUp

__all__ = ["CheckLine", "Mark", "check_of", "lines_of"]

Mark = Literal["ok", "warning", "error", "unknown"]

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
    Layer.ENVIRONMENT: "environment.path",
    Layer.NOTEBOOK: "kernels.specs",
    Layer.RUNTIME: "pytorch.import",
}
_LAYERS = {rule.id: rule.layer for rule in RULES}
_RANK: dict[str, int] = {"ok": 0, "unknown": 1, "note": 1, "warning": 2, "error": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckLine:
    """One check: `id` is `section.name`, `findings` are the ids of what is wrong there."""

    id: str
    mark: Mark
    text: str
    evidence: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """The part of the check-up that it belongs to."""
        return self.id.partition(".")[0]

    def to_json(self) -> dict[str, Any]:
        """The line as it stands in `--json`."""
        return {
            "id": self.id,
            "status": self.mark,
            "text": self.text,
            "evidence": list(self.evidence),
            "findings": list(self.findings),
        }


def check_of(finding: Finding) -> str:
    """The check to which a finding belongs."""
    return _BY_LAYER[_LAYERS.get(finding.id, Layer.RUNTIME)]


def lines_of(seen: CheckUp, findings: Sequence[Finding], checks: Sequence[str]) -> tuple[CheckLine, ...]:
    """A line for each of the checks; the worst finding that belongs to one gives its mark."""
    rows = []
    for name in checks:
        said: CheckText = CHECKS[name].say(seen)
        mine = [row for row in findings if check_of(row) == name]
        worst = max((*(row.severity for row in mine), said.mark), key=_RANK.__getitem__)
        rows.append(
            CheckLine(
                id=name,
                mark="ok" if worst == "note" else worst,
                text=said.text,
                evidence=said.evidence,
                findings=tuple(row.id for row in mine),
            )
        )
    return tuple(rows)
