"""Environment -> VerifyReport: runs the probe in the environment's own interpreter and gathers what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.verify.model import CheckResult, VerifyReport
    from torchdoctor.verify.runner import bench, cases_named, select_checks, verify

__all__ = ["CheckResult", "VerifyReport", "bench", "cases_named", "select_checks", "verify"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "model": (
                "CheckResult",
                "VerifyReport",
            ),
            "runner": (
                "bench",
                "cases_named",
                "select_checks",
                "verify",
            ),
        },
    )
