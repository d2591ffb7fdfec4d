"""Kernel specs: where Jupyter finds them, what each one runs, and whether it can."""

from torchdoctor.kernels.listing import list_kernels
from torchdoctor.kernels.state import KernelState, Problem

__all__ = ["KernelState", "Problem", "list_kernels"]
