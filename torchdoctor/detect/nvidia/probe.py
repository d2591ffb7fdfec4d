"""NVIDIA's driver and GPUs, from the surest witness to the weakest.

1. NVML, the driver's own library, in a process that is given up in time.
2. /sys/module/nvidia/version and /proc/driver/nvidia/version, for the driver alone.
3. nvidia-smi, on PATH and where WSL keeps it; not asked when NVML hung, since it asks the same library.
4. PCI, when there is no driver to ask: that a GPU is there, and its name.
5. The device tree of a Jetson, whose GPU is on no bus, and whose older systems have neither NVML nor nvidia-smi.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown, unread
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.model import NvidiaGpu
from torchdoctor.detect.nvidia.facts import Gpus, NvidiaFacts, first_known
from torchdoctor.detect.nvidia.nvml import query_nvml
from torchdoctor.detect.nvidia.parsers import parse_kernel_module, parse_proc_version
from torchdoctor.detect.nvidia.smi import query_nvidia_smi
from torchdoctor.detect.pci import NVIDIA, display_devices, named

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.core.system import System

__all__ = ["NvidiaFacts", "jetson_model", "loaded_module", "probe_nvidia"]

_KERNEL = "/proc/sys/kernel/osrelease"


def probe_nvidia(system: System, *, sys_platform: str = "linux") -> NvidiaFacts:
    """Ask the witnesses in order until the driver and the GPUs are known."""
    nvml = query_nvml(system)
    loaded = loaded_module(system)
    # A driver that answers and has no GPU is sure of it.
    if nvml.gpus.state == "found" or (nvml.gpus.state, nvml.driver.state) == ("absent", "found"):
        return replace(nvml, driver=first_known(nvml.driver, loaded))
    if nvml.hung:
        return replace(nvml, driver=first_known(loaded, nvml.driver))
    smi = query_nvidia_smi(system)
    answer = replace(
        nvml if smi.gpus.state != "found" else smi,
        driver=first_known(nvml.driver, loaded, smi.driver),
        gpus=first_known(nvml.gpus, smi.gpus),
        cuda=first_known(nvml.cuda, smi.cuda),
        nvml_error=nvml.nvml_error,
    )
    if answer.gpus.state == "found":
        return answer
    # A tool that is there and refuses says more than a library that is not.
    if answer.gpus.state == smi.gpus.state == "unknown":
        answer = replace(answer, gpus=smi.gpus)
    return replace(answer, gpus=_ask_bus(system, answer.gpus, loaded, sys_platform))


def loaded_module(system: System) -> Fact[str]:
    """The version of the module that is loaded; WSL has none, its driver is in Windows."""
    places = (
        ("/sys/module/nvidia/version", parse_kernel_module),
        ("/proc/driver/nvidia/version", parse_proc_version),
    )
    odd: Fact[str] | None = None
    for path, parse in places:
        text = system.read_text(path)
        if text is None:
            odd = odd or (unread(system, path) if system.exists(path) else None)
            continue
        version = parse(text)
        if version is not None:
            return found(version, path)
        odd = unknown(message("it says {text!r}", text=text.strip()[:60]), path)
    return odd or absent(" and ".join(path for path, _ in places))


def _ask_bus(system: System, gpus: Fact[Gpus], loaded: Fact[str], sys_platform: str) -> Fact[Gpus]:
    """No library or tool answered: say whether a GPU is there all the same."""
    nodes = system.glob("/dev/nvidia[0-9]*")
    if not nodes and loaded.state == "found" and _contained(system):
        return absent(
            "/dev/nvidia*",
            why=message("the host's driver is loaded, but no GPU is passed into this container"),
        )
    devices = display_devices(system, NVIDIA, sys_platform=sys_platform)
    cards = tuple(NvidiaGpu(name=named(system, device)) for device in devices)
    if cards:
        return found(cards, "PCI")
    if (jetson := jetson_model(system)).value is not None:
        return found((NvidiaGpu(name=jetson.value.removesuffix(" Developer Kit")),), jetson.source)
    if gpus.state == "absent" and "tegra" in (system.read_text(_KERNEL, limit=200) or ""):
        return unknown(message("the kernel is a Jetson's, and nothing names its GPU"), _KERNEL)
    if loaded.state == "found" and gpus.state == "absent":
        return unknown(
            message("the driver is loaded, and neither NVML nor nvidia-smi is there to list its GPUs"),
            gpus.source,
        )
    return gpus


def jetson_model(system: System) -> Fact[str]:
    """The board's name, such as NVIDIA Jetson AGX Orin Developer Kit."""
    path = "/proc/device-tree/model"
    model = sanitize_line(system.read_text(path, limit=200) or "")
    return found(model, path) if "Jetson" in model or "Orin" in model else absent(path)


def _contained(system: System) -> bool:
    from torchdoctor.detect.host.container import probe_container

    return probe_container(system).state == "found"
