"""The check of Jupyter's kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.doctor.checks.model import CheckText

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.kernel import KernelState

__all__ = ["describe_kernels"]

_MAX_NAMES = 5


def describe_kernels(check_up: CheckUp) -> CheckText:
    """How many kernels for Python are registered, and which of them cannot start."""
    kernels = [kernel for kernel in check_up.kernels if kernel.language in (None, "python")]
    if not kernels:
        return CheckText(text=message("none is registered"))
    broken = [kernel.name for kernel in kernels if kernel.problem is not None]
    text = message("{count} registered", count=len(kernels))
    if broken:
        names = broken[:_MAX_NAMES] + (["…"] if len(broken) > _MAX_NAMES else [])
        text = joined((text, message("cannot start: {names}", names=joined(names))))
    evidence = tuple(_kernel_line(kernel, check_up) for kernel in check_up.kernels)
    return CheckText(text=text, evidence=evidence)


def _kernel_line(kernel: KernelState, check_up: CheckUp) -> str:
    torch = f"torch {kernel.torch} ({kernel.build})" if kernel.torch else message("no torch")
    here = [message("this environment")] if kernel.prefix == check_up.python.prefix else []
    command = str(kernel.python or " ".join(kernel.argv))
    return message("{what}: {why}", what=kernel.name, why=joined((command, torch, *here)))
