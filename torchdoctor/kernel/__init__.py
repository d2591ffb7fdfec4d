"""Jupyter kernels: where Jupyter finds them, what each one runs, whether it works, and how one is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.kernel.check import check_kernel
    from torchdoctor.kernel.list import list_kernels
    from torchdoctor.kernel.model import Kernel, KernelState
    from torchdoctor.kernel.register import write_kernel_spec

__all__ = ["Kernel", "KernelState", "check_kernel", "list_kernels", "write_kernel_spec"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "check": ("check_kernel",),
            "list": ("list_kernels",),
            "model": ("Kernel", "KernelState"),
            "register": ("write_kernel_spec",),
        },
    )
