"""Whether this machine has a GPU of the maker that a build is for: without one, a missing driver is no fault."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["has_gpu_of", "maker_for"]

# A maker's PCI vendor and the device nodes of its drivers; those of NVIDIA with WSL and the boards of Jetson.
_MAKERS = {
    "NVIDIA": ("0x10de", ("nvidia*", "dxg", "nvhost*", "nvmap")),
    "AMD": ("0x1002", ("kfd", "dxg")),
    "Intel": ("0x8086", ("dxg",)),
}
# Classes of PCI devices: display controllers and processing accelerators.
_CLASSES = ("0x03", "0x12")
_MAX_DEVICES = 4096


def maker_for(build: str) -> str:
    """Return who makes the GPUs that a build such as cu130 is for."""
    if build.startswith("rocm"):
        return "AMD"
    return "Intel" if build == "xpu" else "NVIDIA"


def has_gpu_of(maker: str, root: Path = Path("/")) -> bool:
    """Return whether there is one, by the files below `root`; True where this cannot be found out."""
    vendor, nodes = _MAKERS[maker]
    if not sys.platform.startswith("linux"):
        return True
    if any(next(iter((root / "dev").glob(name)), None) is not None for name in nodes):
        return True
    try:
        devices = sorted((root / "sys/bus/pci/devices").iterdir())[:_MAX_DEVICES]
    except OSError:
        return True
    return any(_is_gpu_of(vendor, device) for device in devices)


def _is_gpu_of(vendor: str, device: Path) -> bool:
    try:
        found = (device / "vendor").read_text("ascii").strip()
        kind = (device / "class").read_text("ascii").strip()
    except (OSError, ValueError):
        return False
    return found == vendor and kind.startswith(_CLASSES)
