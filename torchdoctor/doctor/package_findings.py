"""Packages that could not be imported -> findings, joined with those that rest on files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.verify_findings import findings_from
from torchdoctor.verify import VerifyReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchdoctor.diagnose import Finding
    from torchdoctor.doctor.model import CheckUp

__all__ = ["package_findings", "with_findings"]

_RANKS = ("error", "warning", "note")


def package_findings(check_up: CheckUp, translate: Callable[[str], str]) -> tuple[Finding, ...]:
    """Return why packages could not be imported; nothing where that was not tried."""
    torch = check_up.inventory.torch.value
    environment = {
        "torch": torch.version if torch is not None else None,
        "variant": torch.variant.value if torch is not None else None,
        "executable": str(check_up.python.executable),
        "prefix": str(check_up.python.prefix),
    }
    report = VerifyReport(environment=environment, checks=check_up.packages or ())
    return findings_from(report, translate)


def with_findings(findings: Sequence[Finding], more: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return both; what both have found is one finding with the evidence of each and the steps of the first."""
    joined = {finding.id: finding for finding in findings}
    for finding in more:
        known = joined.get(finding.id)
        if known is None:
            joined[finding.id] = finding
            continue
        joined[finding.id] = replace(
            known,
            severity=min(known.severity, finding.severity, key=_RANKS.index),
            evidence=tuple(dict.fromkeys((*known.evidence, *finding.evidence))),
        )
    return tuple(joined.values())
