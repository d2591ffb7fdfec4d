"""Environment -> Results: runs the probe in the environment's own interpreter and gathers what it says."""

from __future__ import annotations

from torchdoctor.proof.figures import BenchReport, BenchResult
from torchdoctor.proof.results import CheckResult, VerifyReport
from torchdoctor.proof.run import bench, cases_named, select, verify

__all__ = [
    "BenchReport",
    "BenchResult",
    "CheckResult",
    "VerifyReport",
    "bench",
    "cases_named",
    "select",
    "verify",
]
