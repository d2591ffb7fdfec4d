"""Intel's GPUs by the PCI bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.machine.fact import Fact, absent, found
from torchdoctor.machine.model import IntelGpu
from torchdoctor.machine.pci import INTEL, display_devices, named

if TYPE_CHECKING:
    from torchdoctor.machine.seam import World

__all__ = ["probe_intel"]


def probe_intel(world: World) -> Fact[tuple[IntelGpu, ...]]:
    """Every display device of Intel's, the integrated ones too: which of them torch can use is not said here."""
    source = "/sys/bus/pci/devices"
    devices = display_devices(world, INTEL)
    gpus = tuple(IntelGpu(name=named(world, device)) for device in devices)
    return found(gpus, source) if gpus else absent(source)
