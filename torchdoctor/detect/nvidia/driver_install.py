"""How NVIDIA's driver is installed on Linux: kernel module, libraries, device nodes, nouveau, fabric, kernel log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown, unread
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.nvidia.parsers import parse_module_kind
from torchdoctor.detect.nvidia.probe import jetson_model, loaded_module
from torchdoctor.detect.pci import BUS, NVIDIA, display_devices, kernel_drivers, named, nvswitches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.pci import PciDevice
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["INSTALL_NAMES", "LOG_NAMES", "parse_xids", "probe_install", "probe_log"]

INSTALL_NAMES = (
    "nvidia.pci", "nvidia.kernel_driver", "nvidia.iommu", "nvidia.nouveau", "nvidia.module", "nvidia.module_version",
    "nvidia.library_version", "nvidia.mismatch", "nvidia.libcuda", "nvidia.devices", "nvidia.devices_denied",
    "nvidia.nvswitches", "nvidia.fabric_manager", "nvidia.jetson", "nvidia.l4t",
)  # fmt: skip
LOG_NAMES = ("nvidia.xid",)
_PROC = "/proc/driver/nvidia/version"
# Debian's and Ubuntu's, Red Hat's and SUSE's, Arch's, the container toolkit's, WSL's.
_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
    "/usr/local/nvidia/lib64", "/usr/lib/wsl/lib", "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/tegra", "/usr/lib/aarch64-linux-gnu/nvidia", "/run/opengl-driver/lib",
)  # fmt: skip
_NODES = ("/dev/nvidia[0-9]*", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dxg")
_NODE_LIMIT = 1100
_XID = re.compile(r"NVRM: Xid \((?:PCI:)?([0-9a-fA-F:.]{7,16})(?:[^)\n]{0,40})\): (\d{1,4})", re.ASCII)
_XID_LIMIT = 100


def probe_install(system: System, _python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `INSTALL_NAMES`."""
    devices = display_devices(system, NVIDIA)
    cards, drivers = tuple(named(system, device) for device in devices), kernel_drivers(system, devices)
    module, (libraries, places) = loaded_module(system), _libraries(system)
    nodes = [path for pattern in _NODES for path in system.glob(pattern)][:_NODE_LIMIT]
    denied = tuple(sanitize_line(path) for path in nodes if system.access(path) != "read-write")
    return {
        "nvidia.pci": found(cards, BUS) if cards else absent(BUS),
        "nvidia.kernel_driver": found(drivers, BUS)
        if any(drivers)
        else absent(BUS, why=message("none is bound")),
        "nvidia.iommu": _iommu(system, devices),
        "nvidia.nouveau": _nouveau(system),
        "nvidia.module": _kind(system),
        "nvidia.module_version": module,
        "nvidia.library_version": libraries,
        "nvidia.mismatch": _mismatch(module, libraries),
        "nvidia.libcuda": places,
        "nvidia.devices": found(tuple(map(sanitize_line, nodes)), "/dev") if nodes else absent("/dev"),
        "nvidia.devices_denied": found(denied, "/dev")
        if denied
        else absent("/dev", why=message("none is denied")),
        "nvidia.nvswitches": _switches(system),
        "nvidia.fabric_manager": _fabric_manager(system),
        "nvidia.jetson": jetson_model(system),
        "nvidia.l4t": _l4t(system),
    }


def _iommu(system: System, devices: Sequence[PciDevice]) -> Fact[object]:
    """How the IOMMU treats each GPU: DMA and DMA-FQ translate what it transfers, identity leaves it alone.

    https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-kernel-iommu_groups
    """
    texts = (system.read_text(f"{BUS}/{device.address}/iommu_group/type", limit=40) for device in devices)
    words = tuple(sanitize_line(text, limit=20) or None if text else None for text in texts)
    return found(words, BUS) if any(words) else absent(BUS, why=message("there is no IOMMU"))


def _nouveau(system: System) -> Fact[bool]:
    """Whether the free driver, which has no CUDA, is loaded in place of NVIDIA's."""
    path = "/sys/module/nouveau"
    return found(True, path) if system.exists(path) else absent(path)


def _kind(system: System) -> Fact[str]:
    text = system.read_text(_PROC)
    if text is None:
        return unread(system, _PROC)
    kind = parse_module_kind(text)
    return (
        found(kind, _PROC)
        if kind
        else unknown(message("it says {text!r}", text=sanitize_line(text, limit=60)), _PROC)
    )


def _libraries(system: System) -> tuple[Fact[str], Fact[tuple[str, ...]]]:
    """The version in the name of the driver's library, and where libcuda.so.1 lies."""
    versions: dict[str, str] = {}
    places: list[str] = []
    for folder in _LIBRARIES:
        for path in system.glob(f"{folder}/libnvidia-ml.so.*") + system.glob(f"{folder}/libcuda.so.*"):
            match = re.search(r"\.so\.(\d{3,4}(?:\.\d{1,4}){1,2})$", path, re.ASCII)
            if match:
                versions.setdefault(match[1], path)
            elif path.endswith("/libcuda.so.1"):
                places.append(path)
    where = "the folders of libraries"
    version: Fact[str] = absent(where)
    if len(versions) == 1:
        version = found(*next(iter(versions.items())))
    elif versions:
        version = unknown(
            message("several lie there: {versions}", versions=joined(sorted(versions)[:5])), where
        )
    return version, found(tuple(places), where) if places else absent(where)


def _mismatch(module: Fact[str], library: Fact[str]) -> Fact[bool]:
    """Whether the library is of another version than the loaded module: the driver was updated without a restart."""
    source = f"{module.source} and {library.source}"
    if "absent" in (module.state, library.state):
        return absent(source, why=message("there are not both"))
    if module.value is None or library.value is None:
        return unknown(message("not both versions are known"), source)
    return found(module.value != library.value, source)


def _switches(system: System) -> Fact[int]:
    """NVSwitches join the GPUs of an HGX; without Fabric Manager CUDA then fails to start with error 802."""
    nodes = system.glob("/dev/nvidia-nvswitch[0-9]*")
    if nodes:
        return found(len(nodes), "/dev/nvidia-nvswitch*")
    path = "/proc/driver/nvidia-nvswitch/devices"
    listed = system.glob(f"{path}/*")
    if listed:
        return found(len(listed), path)
    count = nvswitches(system)
    return found(count, BUS) if count else absent("/dev/nvidia-nvswitch*")


def _fabric_manager(system: System) -> Fact[str]:
    """`systemctl is-active`'s word, asked for only where there is something for it to manage."""
    if _switches(system).state == "absent":
        return absent("/dev/nvidia-nvswitch*", why=message("there is no NVSwitch"))
    source = "systemctl is-active nvidia-fabricmanager"
    answer = system.run(["systemctl", "is-active", "nvidia-fabricmanager"])
    word = sanitize_line(answer.stdout, limit=40)
    if re.fullmatch(r"active|inactive|failed|activating|deactivating|reloading", word):
        return found(word, source)
    if word == "unknown" or "could not be found" in answer.stderr:
        return absent(source, why=message("the service is not installed"))
    return unknown(answer.cause or message("it says {text!r}", text=word), source)


def _l4t(system: System) -> Fact[str]:
    """The release of Jetson Linux, which stands for the driver: `# R35 (release), REVISION: 3.1, ...` is 35.3.1."""
    path = "/etc/nv_tegra_release"
    text = system.read_text(path, limit=400)
    if text is None:
        return unread(system, path)
    match = re.match(r"# R(\d{2}) \(release\), REVISION: (\d{1,2}(?:\.\d{1,2})?)", text, re.ASCII)
    return found(f"{match[1]}.{match[2]}", path) if match else unknown(message("it says no release"), path)


def probe_log(system: System, _python: PythonInfo) -> Mapping[str, Fact[object]]:
    """NVIDIA's error numbers in the kernel's log, where this user may read it."""
    source = "dmesg"
    if not system.exists("/sys/module/nvidia") and not system.exists("/proc/driver/nvidia"):
        return {"nvidia.xid": absent(source, why=message("the driver is not loaded"))}
    answer = system.run(["dmesg"])
    if not answer.ok and answer.failure != "too-long":
        return {"nvidia.xid": unknown(answer.cause, source)}
    xids = parse_xids(answer.stdout)
    return {"nvidia.xid": found(xids, source) if xids else absent(source)}


def parse_xids(text: str) -> tuple[str, ...]:
    """The last hundred as `ADDRESS NUMBER`, such as `0000:65:00 79`; https://docs.nvidia.com/deploy/xid-errors/."""
    return tuple(f"{address} {number}" for address, number in _XID.findall(text)[-_XID_LIMIT:])
