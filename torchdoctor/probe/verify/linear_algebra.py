"""Checks of results: arithmetic, matrix products, convolutions, solvers and transforms against float64."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import math
from typing import Any

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, failed
from .tolerances import (
    FLOAT32_CONV_ERROR,
    FLOAT32_ERROR,
    Expectation,
    compare_results,
    is_unsupported,
    reason_for_low_precision,
)

__all__ = ["conv", "linalg", "matmul", "tensor"]

# A result rounded to the dtype's own precision: 3-10 times what correct products were measured at.
_LIMITS = {"float64": 1e-13, "float32": FLOAT32_ERROR, "float16": 2e-3, "bfloat16": 1e-2}


def tensor(torch: Any, device: str) -> Outcome:
    """Element-wise work and a sum on the device against float64."""
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(128, 256, generator=generator)
    wide = left.double()
    # The reference is made without what is under test: the exponential by the C library.
    row = torch.tensor([2 * value + math.exp(value) for value in wide[0].tolist()], dtype=torch.float64)
    here = left.to(device)
    rows = [
        Expectation(sentence("elementwise"), (here * 2 + torch.exp(here))[0], row, FLOAT32_ERROR),
        Expectation(sentence("sum"), here.sum(1), wide.sum(1), FLOAT32_ERROR),
    ]
    return compare_results(torch, rows)


def matmul(torch: Any, device: str) -> Outcome:
    """Matrix products in each dtype that the device has, and of transposed matrices, against float64."""
    generator = torch.Generator().manual_seed(0)
    # Small: a CPU without float16 arithmetic needs minutes for a large product in it.
    left = torch.randn(64, 128, generator=generator)
    right = torch.randn(128, 64, generator=generator)
    expectations, absent = _products_by_dtype(torch, device, left, right)
    transposed = torch.mm(right.to(device).t(), left.to(device).t()).t()
    low = reason_for_low_precision(torch, device)
    expectations.append(
        Expectation(sentence("transposed"), transposed, _product(left, right), FLOAT32_ERROR, low)
    )
    wrong_sums = _wrong_int8_sums(torch, device)
    if wrong_sums:
        text = sentence("{wrong} of {numel} sums differ", wrong=wrong_sums, numel=64 * 64)
        return failed("wrong-result", sentence("int8 products are wrong: {integers}", integers=text))
    absent += ["int8"] if wrong_sums is None else []
    after = joined(
        [
            sentence(", int8 exact") if wrong_sums == 0 else "",
            sentence("; not available: {absent}", absent=joined(absent)) if absent else "",
        ],
        "",
    )
    return compare_results(torch, expectations, after)


def _products_by_dtype(torch: Any, device: str, left: Any, right: Any) -> tuple[list[Expectation], list[str]]:
    """The product in each floating dtype, and the dtypes that the device does not have."""
    expectations, absent = [], []
    for name, limit in _LIMITS.items():
        dtype = getattr(torch, name)
        low = reason_for_low_precision(torch, device) if name == "float32" else None
        if name == "bfloat16" and _emulates_bfloat16(torch, device):
            absent.append("bfloat16")
            continue
        try:
            result = torch.mm(left.to(dtype).to(device), right.to(dtype).to(device))
            reference = _product(left.to(dtype), right.to(dtype))
            expectations.append(Expectation(name, result, reference, limit, low))
        except (RuntimeError, NotImplementedError, TypeError) as error:
            if name == "float32" or not is_unsupported(error):
                raise
            absent.append(name)
    return expectations, absent


def _product(left: Any, right: Any) -> Any:
    # Without BLAS, which is what is under test. The inputs are what the dtype made of them.
    return (left.double().unsqueeze(2) * right.double().unsqueeze(0)).sum(1)


def _emulates_bfloat16(torch: Any, device: str) -> bool:
    """Whether an NVIDIA GPU is too old for bfloat16 (before compute capability 8.0)."""
    if kind(device) != "cuda" or getattr(torch.version, "hip", None):
        return False
    return bool(torch.cuda.get_device_capability(device) < (8, 0))


def _wrong_int8_sums(torch: Any, device: str) -> int | None:
    """How many sums of an int8 product are wrong; None where the device has no such product."""
    product = getattr(torch, "_int_mm", None)
    if product is None:
        return None
    generator = torch.Generator().manual_seed(0)
    # Beyond 8 a processor without VNNI saturates between two products, as is documented of it.
    left = torch.randint(-8, 9, (64, 128), generator=generator).to(torch.int8)
    right = torch.randint(-8, 9, (128, 64), generator=generator).to(torch.int8)
    try:
        result = product(left.to(device), right.to(device)).cpu()
    except (RuntimeError, NotImplementedError) as error:
        if not is_unsupported(error):
            raise
        return None
    return int((result.double() != _product(left, right)).sum())


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

    note = reason_for_low_precision(torch, device)
    rows = zip(
        (sentence("forward"), sentence("input gradient"), sentence("weight gradient")),
        through(device, torch.float32),
        through("cpu", torch.float64),
    )
    return compare_results(
        torch, [Expectation(name, got, wanted, FLOAT32_CONV_ERROR, note) for name, got, wanted in rows]
    )


def linalg(torch: Any, device: str) -> Outcome:
    """Solve a system, take a matrix apart into singular values, transform there and back: each proves itself.

    The libraries behind these (LAPACK or MAGMA, cuSOLVER, cuFFT) are loaded at the first use, not by the import.
    """
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(64, 64, generator=generator) + 16 * torch.eye(64)
    wanted = torch.randn(64, 4, generator=generator)
    here = matrix.to(device)
    solved = torch.linalg.solve(here, (matrix.double() @ wanted.double()).float().to(device))
    u, s, vh = torch.linalg.svd(here)
    signal = torch.randn(256, generator=generator)
    spectrum = torch.fft.rfft(signal.to(device))
    # Parseval: the energy is the same on both sides, which no error of the way back could hide.
    energy = (spectrum.abs()[1:-1] ** 2).sum() * 2 + spectrum.abs()[0] ** 2 + spectrum.abs()[-1] ** 2
    note = reason_for_low_precision(torch, device)
    rows = [
        Expectation(sentence("solve"), solved, wanted.double(), FLOAT32_CONV_ERROR, note),
        Expectation("svd", (u * s) @ vh, matrix.double(), FLOAT32_CONV_ERROR, note),
        Expectation("fft", torch.fft.irfft(spectrum), signal.double(), FLOAT32_ERROR),
        Expectation(
            sentence("fft energy"),
            energy.reshape(1) / 256,
            (signal.double() ** 2).sum().reshape(1),
            FLOAT32_ERROR,
        ),
    ]
    return compare_results(torch, rows)
