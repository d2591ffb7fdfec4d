"""Intel's GPUs by the PCI bus or Windows, their kernel driver, and the Level Zero loader that torch's XPU needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.model import IntelGpu
from torchdoctor.detect.nvidia.visible_devices import probe_variable
from torchdoctor.detect.pci import BUS, INTEL, display_devices, kernel_drivers, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.pci import PciDevice
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["INTEL_NAMES", "probe_all_intel"]

INTEL_NAMES = (
    "intel.gpus", "intel.kernel_driver", "intel.level_zero", "intel.gpu_runtime", "intel.render_denied",
    "intel.ze_affinity", "intel.sycl_selector",
)  # fmt: skip
_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")


def probe_all_intel(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `INTEL_NAMES`."""
    linux = python.sys_platform == "linux"
    devices = display_devices(system, INTEL, sys_platform=python.sys_platform)
    drivers = kernel_drivers(system, devices) if linux else ()
    nodes = system.glob("/dev/dri/renderD*") if linux else ()
    denied = tuple(sanitize_line(path) for path in nodes if system.access(path) != "read-write")
    return {
        "intel.gpus": _gpus(system, devices, BUS if linux else "reg query"),
        "intel.kernel_driver": found(drivers, BUS)
        if any(drivers)
        else absent(BUS, why=message("none is bound")),
        # https://github.com/oneapi-src/level-zero: the loader, and the driver that it loads.
        "intel.level_zero": _library(system, "libze_loader.so*", python),
        "intel.gpu_runtime": _library(system, "libze_intel_gpu.so*", python),
        "intel.render_denied": found(denied, "/dev/dri") if denied else absent("/dev/dri"),
        "intel.ze_affinity": probe_variable(system, "ZE_AFFINITY_MASK"),
        "intel.sycl_selector": probe_variable(system, "ONEAPI_DEVICE_SELECTOR"),
    }


def _gpus(system: System, devices: tuple[PciDevice, ...], source: str) -> Fact[tuple[IntelGpu, ...]]:
    """Every display device of Intel's, the integrated ones too: which of them torch can use is not said here."""
    gpus = tuple(IntelGpu(name=named(system, device)) for device in devices)
    return found(gpus, source) if gpus else absent(source)


def _library(system: System, pattern: str, python: PythonInfo) -> Fact[str]:
    if python.sys_platform == "win32":
        path = "C:\\Windows\\System32\\ze_loader.dll"
        loader = pattern.startswith("libze_loader") and system.exists(path)
        return found(path, path) if loader else absent(path)
    for folder in _FOLDERS:
        paths = system.glob(f"{folder}/{pattern}")
        if paths:
            return found(sanitize_line(paths[0]), folder)
    return absent(", ".join(_FOLDERS))
