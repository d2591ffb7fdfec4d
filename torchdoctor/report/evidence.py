"""What a diagnosis quotes of a text, as it may be shown: to the one whose text it is, and to everybody in an issue."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import transform

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.diagnose import Diagnosis

__all__ = ["document_for_issue", "for_issue", "without_secrets"]

# Only a line with one of these is looked at for tokens and passwords: what looks takes some 20 ms to load.
_MAY_BE_SECRET = re.compile(
    r"[A-Za-z0-9_+/=.-]{16}|://|@|token|secret|passw|pwd|key|auth|cookie|credential", re.IGNORECASE
)


def for_issue(found: Diagnosis) -> Diagnosis:
    """Return the diagnosis with evidence that names nobody and opens no door."""
    from torchdoctor.report.redact import redact

    return _with_evidence(found, redact)


def without_secrets(found: Diagnosis) -> Diagnosis:
    """Return the diagnosis without tokens and passwords in its evidence."""
    if not any(_MAY_BE_SECRET.search(line) for finding in found.in_order for line in finding.evidence):
        return found
    from torchdoctor.report.redact import redact_secrets

    return _with_evidence(found, redact_secrets)


def document_for_issue(document: Any) -> Any:
    """Return the JSON of a diagnosis with evidence that names nobody and opens no door."""
    from torchdoctor.report.redact import redact

    if isinstance(document, dict):
        return {
            name: [transform(line, redact) for line in value]
            if name == "evidence"
            else document_for_issue(value)
            for name, value in document.items()
        }
    return [document_for_issue(value) for value in document] if isinstance(document, list) else document


def _with_evidence(found: Diagnosis, by: Callable[[str], str]) -> Diagnosis:
    findings, possible = (
        tuple(
            replace(finding, evidence=tuple(transform(line, by) for line in finding.evidence))
            for finding in group
        )
        for group in (found.findings, found.possible)
    )
    return replace(found, findings=findings, possible=possible)
