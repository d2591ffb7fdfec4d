"""Environment -> Results: runs the probe in the environment's own interpreter and gathers what it says."""

from __future__ import annotations

from torchdoctor.proof.results import BenchReport, BenchResult, CheckResult, VerifyReport
from torchdoctor.proof.run import bench, select, verify

__all__ = ["BenchReport", "BenchResult", "CheckResult", "VerifyReport", "bench", "select", "verify"]
