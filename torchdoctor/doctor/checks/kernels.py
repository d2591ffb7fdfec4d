"""The check of Jupyter's kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.doctor.checks.model import CheckText
from torchdoctor.kernel.ownership import belongs_to

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.kernel import KernelState

__all__ = ["describe_kernels"]

_MAX_NAMES = 5


def describe_kernels(check_up: CheckUp) -> CheckText:
    """How many kernels for Python are registered, and which cannot start: this environment's, and those of others."""
    kernels = [kernel for kernel in check_up.kernels if kernel.language in (None, "python")]
    if not kernels:
        return CheckText(text=message("none is registered"))
    broken = [kernel for kernel in kernels if kernel.problem is not None]
    own = [kernel.name for kernel in broken if belongs_to(kernel, check_up.python.prefix)]
    others = [kernel.name for kernel in broken if kernel.name not in own]
    texts: list[str] = [message("{count} registered", count=len(kernels))]
    if own:
        texts.append(message("cannot start: {names}", names=joined(_first(own))))
    if others:
        texts.append(
            message(
                "not of this environment, and cannot start: {names} (see: torchdoctor jupyter-kernel list)",
                names=joined(_first(others)),
            )
        )
    text = joined(texts)
    evidence = tuple(_kernel_line(kernel, check_up) for kernel in check_up.kernels)
    return CheckText(text=text, evidence=evidence)


def _first(names: list[str]) -> list[str]:
    return names[:_MAX_NAMES] + (["…"] if len(names) > _MAX_NAMES else [])


def _kernel_line(kernel: KernelState, check_up: CheckUp) -> str:
    torch = f"torch {kernel.torch} ({kernel.build})" if kernel.torch else message("no torch")
    here = [message("this environment")] if kernel.prefix == check_up.python.prefix else []
    command = str(kernel.python or " ".join(kernel.argv))
    why = joined((command, torch, *here))
    if kernel.problem is not None:
        why = joined((why, kernel.problem.message, kernel.problem.fix), "; ")
    return message("{what}: {why}", what=kernel.name, why=why)
