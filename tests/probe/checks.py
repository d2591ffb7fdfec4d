"""The results of verify by name, with the causes that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.verify_findings import findings_from
from torchdoctor.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.verify import CheckResult, VerifyReport


class Checks(dict[str, "CheckResult"]):
    """The results by name, and the causes that they end in."""

    def __init__(self, report: VerifyReport) -> None:
        super().__init__({check.id: check for check in report.checks})
        self.findings = findings_from(report)
        self.causes = [finding.id for finding in self.findings]


def checks_of(python: Path, *only: str, **more: object) -> Checks:
    """Verify this environment."""
    return Checks(verify(python, only=only, **more))
