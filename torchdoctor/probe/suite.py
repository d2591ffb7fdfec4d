"""The checks and the cases, by name and in the order in which they run."""

from __future__ import annotations

from .bench import cases
from .step import Step
from .verify.table import BASE, BEFORE, DEVICES, IMPORT, NO_TORCH, VERIFY

__all__ = ["BASE", "BEFORE", "BENCH", "DEVICES", "IMPORT", "NO_TORCH", "SUITES", "VERIFY"]

BENCH = (
    Step("matmul", "matrix products in float32", cases.matmul, "best", 120.0),
    Step("matmul-bf16", "matrix products in bfloat16, on an accelerator", cases.matmul_bf16, "best", 120.0),
    Step("autograd", "the overhead of a forward and a backward pass", cases.autograd, "best", 120.0),
    Step("conv", "a 3x3 convolution, forward and backward", cases.conv, "best", 120.0),
)

SUITES = {"verify": VERIFY, "bench": BENCH}
