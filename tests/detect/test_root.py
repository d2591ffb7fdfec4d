"""A machine as a folder: the same code reads a tree of sysfs and procfs files under another root."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.detect.recorded_system import paper_python
from torchdoctor.core.system import HostSystem
from torchdoctor.detect import AmdGpu, NvidiaGpu, detect

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tree is Linux's")

WORKSTATION = {
    "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nVERSION_ID="24.04"\n',
    "proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
    "proc/meminfo": "MemTotal: 131072000 kB\nMemAvailable: 65536000 kB\n",
    "proc/self/cgroup": "0::/user.slice\n",
    "proc/self/status": "Gid:\t1000\nGroups:\t44\nCpus_allowed_list:\t0-7\n",
    "etc/group": "video:x:44:\nrender:x:109:\n",
    "sys/fs/cgroup/user.slice/memory.max": "68719476736\n",
    "sys/devices/system/cpu/online": "0-15\n",
    "sys/module/nouveau/initstate": "live\n",
    "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
    "sys/bus/pci/devices/0000:01:00.0/device": "0x2684\n",
    "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
    "sys/bus/pci/devices/0000:01:00.0/uevent": "DRIVER=nouveau\nPCI_CLASS=30000\n",
    "sys/bus/pci/devices/0000:03:00.0/vendor": "0x1002\n",
    "sys/bus/pci/devices/0000:03:00.0/device": "0x744c\n",
    "sys/bus/pci/devices/0000:03:00.0/class": "0x030000\n",
    "sys/bus/pci/devices/0000:03:00.0/uevent": "DRIVER=amdgpu\n",
    "sys/class/kfd/kfd/topology/nodes/1/properties": "gfx_target_version 110000\ndevice_id 29772\n",
    "sys/module/amdgpu/version": "6.10.5\n",
    "dev/kfd": "",
    "dev/dri/renderD128": "",
}
TOOL = """#!/bin/sh
case "$1" in
--query-gpu=name,compute_cap*) echo 'NVIDIA H100 80GB HBM3, 9.0, 81559, 550.54.15';;
-L) echo 'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11111111-1111-4111-8111-111111111111)';;
*) exit 1;;
esac
"""


def _tree(root: Path, files: dict[str, str]) -> HostSystem:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return HostSystem(environ={"PATH": f"{root}/bin:/usr/bin:/bin"}, root=root)


@pytest.mark.process
def test_a_workstation_of_two_makers_without_nvidias_driver(tmp_path):
    """The NVIDIA card is named and nouveau blamed; the AMD card is whole; limits and groups are those of the user."""
    detection = detect(_tree(tmp_path, WORKSTATION), python=paper_python())
    machine = detection.machine
    assert machine.nvidia is not None
    assert (machine.nvidia.driver, machine.nvidia.gpus) == (
        None,
        (NvidiaGpu(name="NVIDIA GeForce RTX 4090"),),
    )
    assert machine.amd is not None
    navi = "AMD Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]"
    assert (machine.amd.driver, machine.amd.gpus) == ("6.10.5", (AmdGpu(name=navi, gfx="gfx1100"),))
    expected = {
        "nvidia.nouveau": True, "nvidia.kernel_driver": ("nouveau",), "amd.kernel_driver": ("amdgpu",),
        "amd.groups": ("video",), "amd.kfd": "read-write", "amd.render_nodes": ("/dev/dri/renderD128",),
        "system.cpu.threads": 16, "system.cpu.allowed": 8, "system.memory.total": 128000, "system.memory.limit": 65536,
        "os.kernel": "6.8.0-45-generic", "os.version": "24.04",
    }  # fmt: skip
    assert {name: detection.fact(name).value for name in expected} == expected


@pytest.mark.process
def test_a_tool_on_path_is_asked_in_its_own_words(tmp_path):
    """Without NVML the query and the list of nvidia-smi make the machine, the id too."""
    system = _tree(tmp_path, {"bin/nvidia-smi": TOOL})
    (tmp_path / "bin/nvidia-smi").chmod(0o755)
    detection = detect(system, python=paper_python())
    assert detection.machine.nvidia is not None
    gpu = NvidiaGpu(name="NVIDIA H100 80GB HBM3", compute_capability="9.0", memory_mib=81559)
    assert (detection.machine.nvidia.driver, detection.machine.nvidia.gpus) == ("550.54.15", (gpu,))
    assert detection.fact("nvidia.uuid").value == ("GPU-11111111-1111-4111-8111-111111111111",)
    assert detection.fact("nvidia.temperature").state == "unknown"
