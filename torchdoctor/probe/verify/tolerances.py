"""How results are compared: by the Frobenius norm of the difference over that of the reference.

That ratio does not depend on the size of the tensor. The worst single element does: where a correct float32 product is
near zero, one element is off by any factor.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
from typing import Any, NamedTuple

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, failed, passed, warned
from ..torch_errors import says

__all__ = [
    "CHAIN_ERROR",
    "FLOAT32_CONV_ERROR",
    "FLOAT32_ERROR",
    "Expectation",
    "compare_results",
    "grade_error",
    "is_unsupported",
    "reason_for_low_precision",
    "relative_error",
]

# Correct float32 products were measured at 1.5e-7 to 2.6e-7 for every size from 64 to 2048.
FLOAT32_ERROR = 2e-6
# oneDNN, cuDNN and MIOpen may choose Winograd kernels for 3x3, which lose a digit; a wrong result is far above.
FLOAT32_CONV_ERROR = 2e-5
# In a network of several layers each layer passes its rounding on to the next.
CHAIN_ERROR = 2e-5
# Inputs rounded to TF32's 10 bits give 3e-4; to bfloat16's 7 bits 3e-3. No correct result lies above the second limit.
_TF32_ERROR = 1e-3
_LARGEST_ERROR = 1e-2


class Expectation(NamedTuple):
    """A tensor, its float64 reference, the relative error allowed, and a reason for less precision, if there is one."""

    name: str
    result: Any
    reference: Any
    limit: float
    low_precision: str | None = None


def relative_error(torch: Any, result: Any, reference: Any) -> float:
    """||result - reference|| / ||reference||, in float64 on the CPU, since not every device has float64."""
    return float(torch.linalg.norm(result.detach().cpu().double() - reference) / torch.linalg.norm(reference))


def grade_error(error: float, limit: float, low_precision: str | None) -> tuple[str, str]:
    """Return pass, warn or fail, and what to add to the error's figure.

    Less than float32's precision is worth a note where the device or a setting explains it, and is else a failure.
    """
    if error <= limit:
        return "pass", ""
    if low_precision and error <= _TF32_ERROR:
        return "pass", sentence(" ({lowered})", lowered=low_precision)
    if low_precision and error <= _LARGEST_ERROR:
        return "warn", sentence(" ({lowered}, as coarse as bfloat16)", lowered=low_precision)
    return "fail", sentence(" (limit {limit:.0e})", limit=limit)


def compare_results(torch: Any, expectations: list[Expectation], after: str = "") -> Outcome:
    """Return the worst grade, with every error as text and `after` behind it.

    NaN, zeros only and a wrong shape fail at once.
    """
    worst, errors = "pass", []
    for expected in expectations:
        wrong = _plainly_wrong(torch, expected)
        if wrong is not None:
            return failed("wrong-result", wrong)
        error = relative_error(torch, expected.result, expected.reference)
        status, note = grade_error(error, expected.limit, expected.low_precision)
        worst = max(worst, status, key=("pass", "warn", "fail").index)
        errors.append(sentence("{name} {error:.1e}{note}", name=expected.name, error=error, note=note))
    text = joined([sentence("relative error against float64: {errors}", errors=joined(errors)), after], "")
    if worst == "fail":
        return failed("wrong-result", text)
    return warned("low-precision", text) if worst == "warn" else passed(text)


def _plainly_wrong(torch: Any, expected: Expectation) -> str | None:
    name, result = expected.name, expected.result
    if tuple(result.shape) != tuple(expected.reference.shape):
        return sentence(
            "{name} has shape {tuple}, not {tuple2}",
            name=name,
            tuple=tuple(result.shape),
            tuple2=tuple(expected.reference.shape),
        )
    if not bool(torch.isfinite(result.cpu()).all()):
        return sentence("{name} gives NaN or infinity where the numbers are finite", name=name)
    if not bool(result.cpu().any()):
        return sentence("{name} gives zeros only", name=name)
    return None


def reason_for_low_precision(torch: Any, device: str) -> str | None:
    """Return why products on this device may be coarser than float32; None where there is no reason."""
    if kind(device) != "cpu":
        # cuDNN uses TF32 for convolutions by default.
        if kind(device) in ("cuda", "xpu"):
            return sentence("TF32 in use")
        return sentence("reduced precision in use")
    for name in ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"):
        if os.environ.get(name, "STRICT").upper() != "STRICT":
            return sentence("{name} allows it", name=name)
    precision = torch.get_float32_matmul_precision()
    if precision == "highest":
        return None
    return sentence("float32 matmul precision is {precision}", precision=precision)


def is_unsupported(error: Exception) -> bool:
    """Return whether the device has no such operation or dtype, rather than being broken."""
    return says(error, "not-supported") and not says(error, "no-kernel-image")
