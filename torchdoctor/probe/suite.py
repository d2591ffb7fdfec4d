"""The checks and the benchmark cases, in the order in which they run."""

from __future__ import annotations

from .bench import registry
from .verify.registry import BASE, BEFORE, DEVICES, IMPORT, NO_TORCH, VERIFY

__all__ = ["BASE", "BEFORE", "BENCH", "DEVICES", "IMPORT", "NO_TORCH", "SUITES", "VERIFY"]

BENCH = registry.BENCH

SUITES = {"verify": VERIFY, "bench": BENCH}
