"""The GPUs of this machine that a kernel's torch is built for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.kernel.model import KernelState

__all__ = ["supported_gpus"]


def supported_gpus(state: KernelState, machine: Machine) -> tuple[str, ...] | None:
    """Return the names of the GPUs that its build is made for; None when the kernel has no torch or no known build.

    This looks at the build only: `check_kernel` shows whether torch works on them.
    """
    if state.build is None:
        return None
    if state.build.startswith("cu"):
        return tuple(gpu.name for gpu in machine.nvidia.gpus) if machine.nvidia else ()
    if state.build.startswith("rocm"):
        return tuple(gpu.name or gpu.gfx or "AMD GPU" for gpu in machine.amd.gpus) if machine.amd else ()
    if state.build.startswith("xpu"):
        return tuple(gpu.name for gpu in machine.intel.gpus) if machine.intel else ()
    # On macOS there is one build, and it has Metal.
    return (machine.apple.chip,) if machine.apple and machine.apple.chip else ()
