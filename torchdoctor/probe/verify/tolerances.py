"""How results are compared: by the Frobenius norm of the difference over that of the reference.

It does not depend on the size. The worst single element does: near a zero of a correct float32 product it is
off by any factor.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, failed, passed, warned

__all__ = [
    "CHAIN",
    "FLOAT32",
    "FLOAT32_CONV",
    "Expectation",
    "grade_error",
    "lowered",
    "relative_error",
    "unsupported",
    "verdict",
]

# Correct float32 products were measured at 1.5e-7 to 2.6e-7 for every size from 64 to 2048.
FLOAT32 = 2e-6
# Winograd kernels, which oneDNN, cuDNN and MIOpen may choose for 3x3, give away a digit; a wrong result is far above.
FLOAT32_CONV = 2e-5
# A network of several layers hands each layer's rounding on to the next.
CHAIN = 2e-5
# Inputs rounded to TF32's 10 bits give 3e-4; to bfloat16's 7 bits 3e-3. Beyond, nothing that is right can lie.
TF32 = 1e-3
ANYTHING = 1e-2

_UNSUPPORTED = re.compile(
    r"not implemented|n[o']t support|unsupported|NOT_SUPPORTED|not available|no kernel found|could not run",
    re.IGNORECASE,
)


class Expectation(NamedTuple):
    """One result to judge: a tensor against its float64 reference, and a reason for it to be coarser, if any."""

    name: str
    got: Any
    wanted: Any
    limit: float
    lowered: str | None = None


def relative_error(torch: Any, got: Any, wanted: Any) -> float:
    """||got - wanted|| / ||wanted||, in float64 on the CPU, since not every device has float64."""
    return float(torch.linalg.norm(got.detach().cpu().double() - wanted) / torch.linalg.norm(wanted))


def grade_error(error: float, limit: float, lowered: str | None) -> tuple[str, str]:
    """Pass, warn or fail, and what to say about it.

    Less than float32's precision is information where the device or a setting gives a reason for it, else a failure.
    """
    if error <= limit:
        return "pass", ""
    if lowered and error <= TF32:
        return "pass", sentence(" ({lowered})", lowered=lowered)
    if lowered and error <= ANYTHING:
        return "warn", sentence(" ({lowered}, as coarse as bfloat16)", lowered=lowered)
    return "fail", sentence(" (limit {limit:.0e})", limit=limit)


def verdict(torch: Any, rows: list[Expectation], after: str = "") -> Outcome:
    """The worst of the rows, and every row's error; NaN, zeros and a wrong shape fail at once."""
    worst, said = "pass", []
    for name, got, wanted, limit, lower in rows:
        if tuple(got.shape) != tuple(wanted.shape):
            return failed(
                sentence(
                    "{name} has shape {tuple}, not {tuple2}",
                    name=name,
                    tuple=tuple(got.shape),
                    tuple2=tuple(wanted.shape),
                )
            )
        if not bool(torch.isfinite(got.cpu()).all()):
            return failed(sentence("{name} gives NaN or infinity where the numbers are finite", name=name))
        if not bool(got.cpu().any()):
            return failed(sentence("{name} gives zeros only", name=name))
        error = relative_error(torch, got, wanted)
        status, note = grade_error(error, limit, lower)
        worst = max(worst, status, key=("pass", "warn", "fail").index)
        said.append(sentence("{name} {error:.1e}{note}", name=name, error=error, note=note))
    text = joined([sentence("relative error against float64: {errors}", errors=joined(said)), after], "")
    return {"pass": passed, "warn": warned, "fail": failed}[worst](text)


def lowered(torch: Any, device: str) -> str | None:
    """Why products on this device may be coarser than float32, if there is a reason."""
    if kind(device) != "cpu":
        # For convolutions cuDNN uses it unless told not to.
        return (
            sentence("TF32 in use")
            if kind(device) in ("cuda", "xpu")
            else sentence("reduced precision in use")
        )
    for name in ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"):
        if os.environ.get(name, "STRICT").upper() != "STRICT":
            return sentence("{name} allows it", name=name)
    precision = torch.get_float32_matmul_precision()
    return (
        None
        if precision == "highest"
        else sentence("float32 matmul precision is {precision}", precision=precision)
    )


def unsupported(error: Exception) -> bool:
    """Whether this says that the device has no such operation or dtype, rather than that it is broken."""
    said = str(error)
    # CUDA's "no kernel image is available" is a broken pairing, not a missing feature.
    return bool(_UNSUPPORTED.search(said)) and "kernel image" not in said
