"""What `verify` and `install` show of a verification: its document, and the causes of what failed with their fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.cli.output import styled
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.report.terminal.echo import echo

if TYPE_CHECKING:
    from torchdoctor.verify import VerifyReport

__all__ = ["show_causes", "verify_document"]


def verify_document(verification: VerifyReport) -> dict[str, Any]:
    """Return the results and the causes of those that are no passes, as they stand in `--json`."""
    from torchdoctor.diagnose.verify_findings import findings_from

    findings = findings_from(verification, gettext)
    return verification.to_json() | {"findings": [finding.to_json() for finding in findings]}


def show_causes(verification: VerifyReport) -> None:
    """Print each cause with its fix; nothing where all is well."""
    from torchdoctor.diagnose.verify_findings import findings_from

    findings = findings_from(verification, gettext)
    if findings:
        from torchdoctor.diagnose import Diagnosis
        from torchdoctor.report.terminal.diagnosis import diagnosis_text

        diagnosis = Diagnosis(verdict="problems-found", findings=findings)
        echo("\n" + diagnosis_text(diagnosis, styled))
