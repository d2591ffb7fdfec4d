"""Kernel specs: where Jupyter finds them, what each one runs, and whether it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.kernel.list import list_kernels
    from torchdoctor.kernel.model import KernelState, Problem

__all__ = ["KernelState", "Problem", "list_kernels"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "list": ("list_kernels",),
            "model": (
                "KernelState",
                "Problem",
            ),
        },
    )
