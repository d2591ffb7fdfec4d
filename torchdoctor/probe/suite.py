"""The checks and the benchmark cases, in the order in which they run."""

from __future__ import annotations

from .bench import registry
from .verify.registry import BASE, BEFORE, BESIDE, DEVICES, IMPORT, NO_TORCH, VERIFY

__all__ = ["BASE", "BEFORE", "BENCH", "BESIDE", "CHECKS", "DEVICES", "IMPORT", "NO_TORCH", "SUITES", "VERIFY"]

BENCH = registry.BENCH
# All that `verify` runs: the steps of its suite, then those that have processes of their own.
CHECKS = (*VERIFY, *BESIDE)

SUITES = {"verify": VERIFY, "bench": BENCH}
