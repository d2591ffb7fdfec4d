"""Display devices on the PCI bus and their names.

1. sysfs on Linux, the registry's class of display adapters on Windows.
2. The name by the package's own table, then by the system's pci.ids, then by the ids alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.text import read_object, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.core.system import System

__all__ = [
    "AMD",
    "BUS",
    "INTEL",
    "NVIDIA",
    "PciDevice",
    "display_devices",
    "kernel_drivers",
    "listed_name",
    "named",
    "nvswitches",
    "parse_pci_ids",
    "parse_registry",
    "product_of_id",
]

NVIDIA, AMD, INTEL = "10de", "1002", "8086"
BUS = "/sys/bus/pci/devices"
_VENDORS = {NVIDIA: "NVIDIA", AMD: "AMD", INTEL: "Intel"}
# Class 03: VGA (0300), 3D (0302), other display (0380); 1200 is a processing accelerator.
_CLASSES = ("0300", "0302", "0380", "1200")
_ID_LISTS = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids")
_LIST_LIMIT = 8 << 20
_DEVICE_LIMIT = 1024
# https://learn.microsoft.com/windows-hardware/drivers/install/system-defined-device-setup-classes: Display
_ADAPTER_IDS = r"^\s+MatchingDeviceId\s+REG_SZ\s+PCI\\VEN_(\w{4})&DEV_(\w{4})"
_ADAPTERS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PciDevice:
    """One device: its address, its ids in four hexadecimal digits each, and what Windows calls it."""

    address: str
    vendor: str
    device: str
    name: str | None = None


def display_devices(system: System, vendor: str, *, sys_platform: str = "linux") -> tuple[PciDevice, ...]:
    """Every GPU of the vendor that the bus, or Windows, shows; the first 1,024."""
    if sys_platform == "win32":
        answer = system.run(["reg", "query", _ADAPTERS, "/s"])
        rows = [device for device in parse_registry(answer.stdout) if device.vendor == vendor]
    else:
        rows = list(_bus(system, vendor))
    return tuple(rows[:_DEVICE_LIMIT])


def nvswitches(system: System) -> int:
    """How many NVSwitches the bus shows: bridges of NVIDIA's whose ids the table names so."""
    known = _table(NVIDIA, "switches")
    return sum(device.device in known for device in _bus(system, NVIDIA, ("0680",)))


def _bus(system: System, vendor: str, classes: tuple[str, ...] = _CLASSES) -> Iterator[PciDevice]:
    for folder in system.glob(f"{BUS}/*"):
        # The class is read of the vendor's devices alone: a server has hundreds of others.
        if (
            _id(system, f"{folder}/vendor") != vendor
            or (_id(system, f"{folder}/class") or "")[:4] not in classes
        ):
            continue
        device = _id(system, f"{folder}/device")
        if device is not None:
            yield PciDevice(address=folder.rsplit("/", 1)[-1], vendor=vendor, device=device)


def _id(system: System, path: str) -> str | None:
    match = re.fullmatch(r"0x([0-9a-f]{4,6})\s*", system.read_text(path, limit=32) or "")
    return match[1] if match else None


def kernel_drivers(system: System, devices: Iterable[PciDevice]) -> tuple[str | None, ...]:
    """The kernel driver that each is bound to, such as nvidia, nouveau, vfio-pci, i915."""
    texts = (system.read_text(f"{BUS}/{device.address}/uevent") or "" for device in devices)
    matches = (re.search(r"^DRIVER=([\w-]{1,40})$", text, re.MULTILINE | re.ASCII) for text in texts)
    return tuple(match[1] if match else None for match in matches)


def parse_registry(text: str) -> tuple[PciDevice, ...]:
    """Read `reg query` of the display adapters: one key each, with DriverDesc and MatchingDeviceId."""
    devices = []
    for block in re.split(r"^HKEY_", text, flags=re.MULTILINE)[1 : _DEVICE_LIMIT + 1]:
        ids = re.search(_ADAPTER_IDS, block, re.MULTILINE | re.IGNORECASE)
        name = re.search(r"^[ \t]+DriverDesc[ \t]+REG_SZ[ \t]+(.{1,200})$", block, re.MULTILINE)
        if ids is not None:
            devices.append(
                PciDevice(
                    address=sanitize_line(block.partition("\n")[0].rsplit("\\", 1)[-1], limit=20),
                    vendor=ids[1].lower(),
                    device=ids[2].lower(),
                    name=(sanitize_line(name[1]) or None) if name else None,
                )
            )
    return tuple(devices)


def named(system: System, device: PciDevice) -> str:
    """The device's name, such as `NVIDIA GeForce RTX 4090` or `Intel Battlemage G21 [Arc B580]`, else its ids."""
    ids = f"{_VENDORS[device.vendor]} GPU [{device.vendor}:{device.device}]"
    return device.name or listed_name(system, device.vendor, device.device) or ids


def listed_name(system: System, vendor: str, device: str) -> str | None:
    """The name in our own table, else in the system's pci.ids, which most containers lack; None for neither."""
    name = _table(vendor, "names").get(device)
    if name is None:
        texts = (system.read_text(path, limit=_LIST_LIMIT) or "" for path in _ID_LISTS)
        name = next(filter(None, (parse_pci_ids(text, vendor, device) for text in texts)), None)
    if name is None:
        return None
    # NVIDIA's driver calls the device by what stands in the brackets, unless several share the id.
    sold = re.fullmatch(r"[^\[\]]+ \[([^\[\]/]+)\]", name)
    return f"NVIDIA {sold[1]}" if vendor == NVIDIA and sold else f"{_VENDORS[vendor]} {name}"


def product_of_id(text: str) -> str | None:
    """Return the product of a PCI id as `lspci -nn` prints it, the first where several share it; None for no such id.

    >>> product_of_id("[10de:2684]"), product_of_id("1002:744c"), product_of_id("10de:ffff")
    ('GeForce RTX 4090', 'Radeon RX 7900 XT', None)
    """
    found = re.fullmatch(r"\[?(?:0x)?(10de|1002|8086):(?:0x)?([0-9a-f]{4})\]?", text.strip().lower())
    name = _table(found[1], "names").get(found[2]) if found else None
    sold = re.search(r"\[([^\[\]]+)\]$", name or "")
    return sold[1].split("/")[0].strip() if sold else name


@cache
def _table(vendor: str, part: str) -> dict[str, str]:
    path = Path(__file__).with_name("data") / f"pci-{vendor}.json"
    names: dict[str, str] = read_object(path.read_text("utf-8"))[part]
    return names


def parse_pci_ids(text: str, vendor: str, device: str) -> str | None:
    """Look a device up in pci.ids: vendors at the margin, their devices one tab in."""
    section = re.search(rf"^{vendor}  [^\n]*\n((?:[\t#][^\n]*\n|\n)*)", text, re.MULTILINE)
    match = re.search(rf"^\t{device}  ([^\n]+)$", section[1], re.MULTILINE) if section else None
    return sanitize_line(match[1], limit=120) or None if match else None
