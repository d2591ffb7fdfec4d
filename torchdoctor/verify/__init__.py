"""Environment -> VerifyReport: runs the probe with the environment's own interpreter and collects its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.verify.checks import select_checks, verify
    from torchdoctor.verify.model import CheckResult, VerifyReport

__all__ = ["CheckResult", "VerifyReport", "select_checks", "verify"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {"checks": ("select_checks", "verify"), "model": ("CheckResult", "VerifyReport")},
    )
