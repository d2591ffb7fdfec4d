"""Checks of results: arithmetic, matrix products and convolutions against float64.

Compared by the Frobenius norm of the difference over that of the reference, which does not depend on the size.
The worst single element does: near a zero of a correct float32 product it is off by any factor.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import math
import os
from typing import Any

from ..devices import kind
from ..step import Outcome, failed, passed, warned

__all__ = ["conv", "judge", "relative_error", "tensor"]

# Correct float32 products were measured at 1.5e-7 to 2.6e-7 for every size from 64 to 2048.
FLOAT32 = 2e-6
# Winograd kernels, which oneDNN, cuDNN and MIOpen may choose for 3x3, give away a digit; a wrong result is far above.
FLOAT32_CONV = 2e-5
# Inputs rounded to TF32's 10 bits give 3e-4; to bfloat16's 7 bits 3e-3. Beyond, nothing that is right can lie.
TF32 = 1e-3
ANYTHING = 1e-2


def tensor(torch: Any, device: str) -> Outcome:
    """Element-wise work, a sum and a matrix product on the device against float64."""
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(128, 256, generator=generator)
    right = torch.randn(256, 128, generator=generator)
    wide, tall = left.double(), right.double()
    # The references are made without what is under test: the product without BLAS, the exponential by the C library.
    product = (wide.unsqueeze(2) * tall.unsqueeze(0)).sum(1)
    row = torch.tensor([2 * value + math.exp(value) for value in wide[0].tolist()], dtype=torch.float64)
    here, there = left.to(device), right.to(device)
    rows = [
        ("elementwise", (here * 2 + torch.exp(here))[0], row, None),
        ("sum", here.sum(1), wide.sum(1), None),
        ("matmul", torch.mm(here, there), product, _lowered(torch, device)),
    ]
    return _verdict(torch, [(name, got, wanted, FLOAT32, note) for name, got, wanted, note in rows])


def conv(torch: Any, device: str) -> Outcome:
    """A 3x3 convolution, its input's gradient and its weight's, on the device against float64."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 8, 16, 16, generator=generator)
    weight = torch.randn(16, 8, 3, 3, generator=generator)
    upstream = torch.randn(4, 16, 16, 16, generator=generator)

    def through(on: str, dtype: Any) -> tuple[Any, ...]:
        x = images.to(on, dtype, copy=True).requires_grad_()
        w = weight.to(on, dtype, copy=True).requires_grad_()
        y = torch.nn.functional.conv2d(x, w, padding=1)
        # Not y.backward(upstream): that imports sympy, which takes half a second. The gradients are the same.
        (y * upstream.to(on, dtype)).sum().backward()
        return y.detach(), x.grad, w.grad

    note = _lowered(torch, device)
    rows = zip(
        ("forward", "input gradient", "weight gradient"),
        through(device, torch.float32),
        through("cpu", torch.float64),
    )
    return _verdict(torch, [(name, got, wanted, FLOAT32_CONV, note) for name, got, wanted in rows])


def relative_error(torch: Any, got: Any, wanted: Any) -> float:
    """||got - wanted|| / ||wanted||, in float64 on the CPU, since not every device has float64."""
    return float(torch.linalg.norm(got.cpu().double() - wanted) / torch.linalg.norm(wanted))


def judge(error: float, limit: float, lowered: str | None) -> tuple[str, str]:
    """Pass, warn or fail, and what to say about it.

    Less than float32's precision is information where the device or a setting gives a reason for it, else a failure.
    """
    if error <= limit:
        return "pass", ""
    if lowered and error <= TF32:
        return "pass", f" ({lowered})"
    if lowered and error <= ANYTHING:
        return "warn", f" ({lowered}, as coarse as bfloat16)"
    return "fail", f" (limit {limit:.0e})"


def _verdict(torch: Any, rows: list[tuple[str, Any, Any, float, str | None]]) -> Outcome:
    worst, said = "pass", []
    for name, got, wanted, limit, lowered in rows:
        if tuple(got.shape) != tuple(wanted.shape):
            return failed(f"{name} has shape {tuple(got.shape)}, not {tuple(wanted.shape)}")
        if not bool(torch.isfinite(got.cpu()).all()):
            return failed(f"{name} gives NaN or infinity where the numbers are finite")
        if not bool(got.cpu().any()):
            return failed(f"{name} gives zeros only")
        error = relative_error(torch, got, wanted)
        status, note = judge(error, limit, lowered)
        worst = max(worst, status, key=("pass", "warn", "fail").index)
        said.append(f"{name} {error:.1e}{note}")
    text = "relative error against float64: " + ", ".join(said)
    return {"pass": passed, "warn": warned, "fail": failed}[worst](text)


def _lowered(torch: Any, device: str) -> str | None:
    """Why products on this device may be coarser than float32, if there is a reason."""
    if kind(device) != "cpu":
        # For convolutions cuDNN uses it unless told not to.
        return "TF32 in use" if kind(device) in ("cuda", "xpu") else "reduced precision in use"
    for name in ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"):
        if os.environ.get(name, "STRICT").upper() != "STRICT":
            return f"{name} allows it"
    precision = torch.get_float32_matmul_precision()
    return None if precision == "highest" else f"float32 matmul precision is {precision}"
