"""Every probe of the machine: the names of its facts, and the systems that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.detect.amd.probe import AMD_NAMES, probe_all_amd
from torchdoctor.detect.apple import APPLE_NAMES, METAL_NAMES, probe_all_apple, probe_metal
from torchdoctor.detect.host.container import probe_container, probe_wsl, probe_wsl_version
from torchdoctor.detect.host.cpu import CPU_NAMES, probe_cpu
from torchdoctor.detect.host.memory import DISK_NAMES, MEMORY_NAMES, probe_disk, probe_memory
from torchdoctor.detect.host.operating_system import probe_kernel, probe_libc, probe_os_name, probe_os_version
from torchdoctor.detect.host.secure_boot import probe_secure_boot
from torchdoctor.detect.host.socket_interface import INTERFACE_NAMES, probe_socket_interface
from torchdoctor.detect.host.windows_settings import WINDOWS_NAMES, probe_windows
from torchdoctor.detect.intel import INTEL_NAMES, probe_all_intel
from torchdoctor.detect.nvidia.driver_install import INSTALL_NAMES, LOG_NAMES, probe_install, probe_log
from torchdoctor.detect.nvidia.gpu_state import STATE_NAMES
from torchdoctor.detect.nvidia.probe import probe_nvidia
from torchdoctor.detect.nvidia.toolkit import TOOLKIT_NAMES, probe_toolkits
from torchdoctor.detect.nvidia.visible_devices import probe_variable, probe_visible
from torchdoctor.detect.runner import Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["probes"]

_ALL = ("linux", "win32", "darwin")
_PCS = ("linux", "win32")
_NVIDIA_NAMES = (
    "nvidia.driver", "nvidia.gpus", "nvidia.cuda", "nvidia.lost", "nvidia.nvml_error", *STATE_NAMES,
    "nvidia.visible", "nvidia.device_order", "nvidia.container_visible",
)  # fmt: skip


def probes(places: Mapping[str, str]) -> tuple[Probe, ...]:
    """The slow ones come first. `places` are the folders whose free disk is asked for."""
    return (
        Probe(names=_NVIDIA_NAMES, ask=_nvidia, systems=_PCS),
        Probe(names=METAL_NAMES, ask=probe_metal, systems=("darwin",)),
        Probe(names=TOOLKIT_NAMES, ask=probe_toolkits, systems=_PCS),
        Probe(names=LOG_NAMES, ask=probe_log),
        Probe(names=INSTALL_NAMES, ask=probe_install),
        Probe(names=AMD_NAMES, ask=probe_all_amd, systems=_PCS),
        Probe(names=INTEL_NAMES, ask=probe_all_intel, systems=_PCS),
        Probe(names=APPLE_NAMES, ask=probe_all_apple, systems=("darwin",)),
        Probe(names=CPU_NAMES, ask=probe_cpu, systems=_ALL),
        Probe(names=MEMORY_NAMES, ask=probe_memory, systems=_ALL),
        Probe(names=DISK_NAMES, ask=lambda system, _: probe_disk(system, places), systems=_ALL),
        Probe(names=("os.name", "os.version", "os.kernel", "os.libc"), ask=_system, systems=_ALL),
        Probe(names=INTERFACE_NAMES, ask=probe_socket_interface),
        Probe(names=WINDOWS_NAMES, ask=probe_windows, systems=("win32",)),
        Probe(names=("os.wsl", "os.wsl_version", "os.container", "os.secure_boot"), ask=_container),
    )


def _nvidia(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    said = probe_nvidia(system, sys_platform=python.sys_platform)
    uuids = [uuid for uuid in said.states["nvidia.uuid"].value or () if uuid]
    slices = [part.uuid for part in said.states["nvidia.mig_instances"].value or () if part.uuid]
    count = len(said.gpus.value) if said.gpus.value is not None else None
    return {
        "nvidia.driver": said.driver,
        "nvidia.gpus": said.gpus,
        "nvidia.cuda": said.cuda,
        "nvidia.lost": said.lost,
        "nvidia.nvml_error": said.nvml_error,
        **said.states,
        "nvidia.visible": probe_visible(system, "CUDA_VISIBLE_DEVICES", count=count, uuids=[*uuids, *slices]),
        "nvidia.device_order": probe_variable(system, "CUDA_DEVICE_ORDER"),
        "nvidia.container_visible": probe_variable(system, "NVIDIA_VISIBLE_DEVICES"),
    }


def _system(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    return {
        "os.name": probe_os_name(system, python),
        "os.version": probe_os_version(system, python),
        "os.kernel": probe_kernel(system, python),
        "os.libc": probe_libc(system, python),
    }


def _container(system: System, _python: PythonInfo) -> Mapping[str, Fact[object]]:
    return {
        "os.wsl": probe_wsl(system),
        "os.wsl_version": probe_wsl_version(system),
        "os.container": probe_container(system),
        "os.secure_boot": probe_secure_boot(system),
    }
