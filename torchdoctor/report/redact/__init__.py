"""Removes personal data and secrets from a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.report.redact.identity import Identity
    from torchdoctor.report.redact.text import redact, redact_document, redact_secrets

__all__ = ["Identity", "redact", "redact_document", "redact_secrets"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__, {"identity": ("Identity",), "text": ("redact", "redact_document", "redact_secrets")}
    )
