"""The GPUs of this machine that a kernel's torch is built for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.kernel.model import KernelState

__all__ = ["gpus_for"]


def gpus_for(state: KernelState, machine: Machine) -> tuple[str, ...] | None:
    """Names of the GPUs here that its build is made for; None where the kernel has no torch, or no known build.

    By the build alone: whether torch then works on them is what `check` runs.
    """
    if state.build is None:
        return None
    if state.build.startswith("cu"):
        return tuple(row.name for row in machine.nvidia.gpus) if machine.nvidia else ()
    if state.build.startswith("rocm"):
        return tuple(row.name or row.gfx or "AMD GPU" for row in machine.amd.gpus) if machine.amd else ()
    if state.build.startswith("xpu"):
        return tuple(row.name for row in machine.intel.gpus) if machine.intel else ()
    # On macOS there is one build, and it has Metal.
    return (machine.apple.chip,) if machine.apple and machine.apple.chip else ()
