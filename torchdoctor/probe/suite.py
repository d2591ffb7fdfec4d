"""The checks and the cases, by name and in the order in which they run."""

from __future__ import annotations

from .bench import cases
from .verify.table import BASE, BEFORE, DEVICES, IMPORT, NO_TORCH, VERIFY

__all__ = ["BASE", "BEFORE", "BENCH", "DEVICES", "IMPORT", "NO_TORCH", "SUITES", "VERIFY"]

BENCH = cases.BENCH

SUITES = {"verify": VERIFY, "bench": BENCH}
