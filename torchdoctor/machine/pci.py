"""Display devices on the PCI bus, by sysfs, and their names where the system has a list of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.machine.answer import clean

if TYPE_CHECKING:
    from torchdoctor.machine.seam import World

__all__ = ["AMD", "INTEL", "NVIDIA", "PciDevice", "display_devices", "listed_name", "named", "parse_pci_ids"]

NVIDIA, AMD, INTEL = "10de", "1002", "8086"
_VENDORS = {NVIDIA: "NVIDIA", AMD: "AMD", INTEL: "Intel"}
# Class 03: VGA (0300), 3D (0302), other display (0380); 1200 is a processing accelerator.
_CLASSES = ("0300", "0302", "0380", "1200")
_ID_LISTS = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids")
_LIST_LIMIT = 8 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class PciDevice:
    """One device: its address and its ids in four hexadecimal digits each."""

    address: str
    vendor: str
    device: str


def display_devices(world: World, vendor: str) -> tuple[PciDevice, ...]:
    """Every GPU of the vendor that the bus shows."""
    devices = []
    for folder in world.glob("/sys/bus/pci/devices/*"):
        if (
            _id(world, f"{folder}/vendor") != vendor
            or (_id(world, f"{folder}/class") or "")[:4] not in _CLASSES
        ):
            continue
        device = _id(world, f"{folder}/device")
        if device is not None:
            devices.append(PciDevice(address=folder.rsplit("/", 1)[-1], vendor=vendor, device=device))
    return tuple(devices)


def _id(world: World, path: str) -> str | None:
    match = re.fullmatch(r"0x([0-9a-f]{4,6})\s*", world.read_text(path, limit=32) or "")
    return match[1] if match else None


def named(world: World, device: PciDevice) -> str:
    """The device's name by the system's list, such as `Intel Battlemage G21 [Arc B580]`, else its ids."""
    ids = f"{_VENDORS[device.vendor]} GPU [{device.vendor}:{device.device}]"
    return listed_name(world, device.vendor, device.device) or ids


def listed_name(world: World, vendor: str, device: str) -> str | None:
    """The name in the system's pci.ids; None where it has no such list, as in most containers."""
    for path in _ID_LISTS:
        name = parse_pci_ids(world.read_text(path, limit=_LIST_LIMIT) or "", vendor, device)
        if name is not None:
            return f"{_VENDORS[vendor]} {name}"
    return None


def parse_pci_ids(text: str, vendor: str, device: str) -> str | None:
    """Look a device up in pci.ids: vendors at the margin, their devices one tab in."""
    section = re.search(rf"^{vendor}  [^\n]*\n((?:[\t#][^\n]*\n|\n)*)", text, re.MULTILINE)
    match = re.search(rf"^\t{device}  ([^\n]+)$", section[1], re.MULTILINE) if section else None
    return clean(match[1], limit=120) or None if match else None
