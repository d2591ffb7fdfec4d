"""Readers of the smaller witnesses: toolkits, the kernel's log, Windows' registry, ROCm's tools, Metal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.detect import AmdGpu, IntelGpu, NvidiaGpu, detect
from torchdoctor.detect.amd.parsers import parse_amd_smi, parse_rocminfo
from torchdoctor.detect.amd.probe import parse_groups, probe_all_amd, probe_amd
from torchdoctor.detect.apple import parse_metal
from torchdoctor.detect.nvidia.driver_install import parse_xids, probe_install, probe_log
from torchdoctor.detect.nvidia.toolkit import (
    parse_nvcc,
    parse_toolkit_json,
    parse_toolkit_txt,
    probe_toolkits,
)
from torchdoctor.detect.nvidia.visible_devices import parse_visible
from torchdoctor.detect.pci import parse_registry

# https://github.com/NVIDIA/NVSentinel/issues/155
XID = "[ 1843.308145] NVRM: Xid (PCI:0000:44:00): 79, GPU has fallen off the bus\n"
# https://github.com/open-edge-platform/anomalib/issues/584
NVCC = """\
nvcc: NVIDIA (R) Cuda compiler driver
Copyright (c) 2005-2021 NVIDIA Corporation
Built on Mon_Oct_11_21:27:02_PDT_2021
Cuda compilation tools, release 11.4, V11.4.152
Build cuda_11.4.r11.4/compiler.30521435_0
"""
# Written after the documented form of `reg query`; device and ids of https://github.com/microsoft/WSL/issues/6423.
REGISTRY = (
    "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0000\r\n"
    "    DriverDesc    REG_SZ    NVIDIA GeForce RTX 2060\r\n"
    "    MatchingDeviceId    REG_SZ    pci\\ven_10de&dev_1f11&subsys_126a1462\r\n"
    "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0001\r\n"
    "    MatchingDeviceId    REG_SZ    PCI\\VEN_8086&DEV_56A0\r\n"
    "    DriverDesc    REG_SZ    Intel(R) Arc(TM) A770 Graphics\r\n"
    "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\0002\r\n"
    "    MatchingDeviceId    REG_SZ    PCI\\VEN_1002&DEV_744C\r\n"
)


def test_an_xid_has_its_gpu_and_its_number():
    """The last hundred of the kernel's log, the newest last."""
    assert parse_xids(XID) == ("0000:44:00 79",)
    assert len(parse_xids(XID * 300)) == 100


def test_the_log_is_read_where_it_may_be():
    """Not without a driver; unknown where the kernel keeps it to itself."""
    loaded = {"/sys/module/nvidia/version": "550.1\n"}
    python = paper_python()
    assert probe_log(RecordedSystem(commands={"dmesg": said(XID)}), python)["nvidia.xid"].state == "absent"
    system = RecordedSystem(files=loaded, commands={"dmesg": said(XID)})
    assert probe_log(system, python)["nvidia.xid"].value == ("0000:44:00 79",)
    refused = said("", status=1, stderr="dmesg: read kernel buffer failed: Operation not permitted\n")
    fact = probe_log(RecordedSystem(files=loaded, commands={"dmesg": refused}), python)["nvidia.xid"]
    assert (fact.state, "Operation not permitted" in (fact.why or "")) == ("unknown", True)


def test_toolkits_are_listed_with_their_folders():
    """Old and new ones; the link to one of them is not another."""
    files = {
        "/usr/local/cuda/version.json": '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}',
        "/usr/local/cuda-12.4/version.json": '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}',
        "/usr/local/cuda-10.2/version.txt": "CUDA Version 10.2.89\n",
        "/opt/cuda/version.json": '{"cuda": {"version": "11.8.0"}}',
    }
    system = RecordedSystem(files=files, environ={"CUDA_HOME": "/opt/cuda/"}, commands={"nvcc": said(NVCC)})
    facts = probe_toolkits(system, paper_python())
    assert facts["nvidia.toolkits"].value == (
        "10.2.89 (/usr/local/cuda-10.2)",
        "12.4.1 (/usr/local/cuda-12.4)",
        "11.8.0 (/opt/cuda)",
    )
    assert facts["nvidia.nvcc"].value == "11.4.152"


def test_windows_toolkits_are_read_from_their_variables():
    """One variable each."""
    system = RecordedSystem(environ={"CUDA_PATH_V12_4": "C:\\CUDA\\v12.4", "CUDA_PATH": "C:\\CUDA\\v12.4"})
    facts = probe_toolkits(system, paper_python(sys_platform="win32"))
    assert facts["nvidia.toolkits"].value == ("12.4 (C:\\CUDA\\v12.4)",)


def test_libraries_before_the_wheels_own_are_named():
    """CUDA's, cuDNN's and NCCL's on LD_LIBRARY_PATH; the driver's own and strangers are left."""
    names = (
        "libcudnn_ops_infer.so.8",
        "libcublas.so.11",
        "libnccl.so.2",
        "libcuda.so.1",
        "libcurl.so.4",
        "libnvidia-ml.so.1",
    )
    files = {f"/opt/old[1]/{name}": "" for name in names}
    system = RecordedSystem(files=files, environ={"LD_LIBRARY_PATH": "/opt/old[1]::relative:/opt/old[1]"})
    fact = probe_toolkits(system, paper_python())["nvidia.shadowing_libraries"]
    assert set(fact.value or ()) == {
        "/opt/old[1]/libcudnn_ops_infer.so.8",
        "/opt/old[1]/libcublas.so.11",
        "/opt/old[1]/libnccl.so.2",
    }


def test_an_updated_library_is_told_from_its_module():
    """The library's name has its version, and the module's file has the other."""
    files = {
        "/sys/module/nvidia/version": "550.90.07\n",
        "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.107.02": "",
        "/usr/lib/x86_64-linux-gnu/libcuda.so.1": "",
        "/usr/lib/wsl/lib/libcuda.so.1": "",
        "/dev/nvidia0": "",
        "/dev/nvidiactl": "",
    }
    facts = probe_install(RecordedSystem(files=files, denied=frozenset({"/dev/nvidia0"})), paper_python())
    assert facts["nvidia.mismatch"].value is True
    assert facts["nvidia.library_version"].source.endswith("libnvidia-ml.so.550.107.02")
    assert facts["nvidia.libcuda"].value == (
        "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
        "/usr/lib/wsl/lib/libcuda.so.1",
    )
    assert facts["nvidia.devices_denied"].value == ("/dev/nvidia0",)


@pytest.mark.parametrize(
    ("answer", "state", "word"),
    [
        (said("active\n"), "found", "active"),
        (said("failed\n", status=3), "found", "failed"),
        (said("unknown\n", status=4), "absent", None),
        (said("", status=1, stderr="System has not been booted with systemd\n"), "unknown", None),
    ],
)
def test_fabric_manager_is_asked_for_where_there_is_an_nvswitch(answer, state, word):
    """Its state by systemd; a system without systemd is unknown."""
    system = RecordedSystem(files={"/dev/nvidia-nvswitch0": ""}, commands={"systemctl": answer})
    facts = probe_install(system, paper_python())
    fact = facts["nvidia.fabric_manager"]
    assert (facts["nvidia.nvswitches"].value, fact.state, fact.value) == (1, state, word)


def test_a_file_that_may_not_be_read_is_not_taken_for_absent():
    """The driver's version file is there and closed: nobody can tell, and that is said."""
    paths = ("/sys/module/nvidia/version", "/proc/driver/nvidia/version", "/sys/module/amdgpu/version")
    system = RecordedSystem(files=dict.fromkeys(paths, ""), denied=frozenset(paths))
    facts = {**probe_install(system, paper_python()), **probe_all_amd(system, paper_python())}
    names = ("nvidia.module_version", "nvidia.module", "amd.driver")
    assert {facts[name].why for name in names} == {"it cannot be read"}


def test_a_jetson_is_named_by_its_device_tree():
    """No bus, no NVML, no nvidia-smi: the board's name stands for the GPU."""
    files = {
        "/proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\x00",
        "/etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64\n",
    }
    detection = detect(RecordedSystem(files=files), python=paper_python(machine="aarch64"))
    assert detection.fact("nvidia.gpus").value == (NvidiaGpu(name="NVIDIA Jetson AGX Orin"),)
    assert detection.fact("nvidia.l4t").value == "35.4.1"


def test_windows_names_the_adapters_of_all_makers():
    """The registry has each adapter's name and ids, in any order and any case."""
    python = paper_python(sys_platform="win32", libc=None)
    machine = detect(RecordedSystem(commands={"reg query": said(REGISTRY)}), python=python).machine
    assert machine.nvidia is not None
    assert machine.nvidia.gpus == (NvidiaGpu(name="NVIDIA GeForce RTX 2060"),)
    assert machine.intel is not None
    assert machine.intel.gpus == (IntelGpu(name="Intel(R) Arc(TM) A770 Graphics"),)
    assert machine.amd is not None
    assert machine.amd.gpus == (
        AmdGpu(name="AMD Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]", gfx="gfx1100"),
    )


def test_a_tool_that_may_not_open_the_device_is_no_absence():
    """rocminfo's refusal is the reason; the next tool may know more."""
    refused = said("ROCk module is loaded\nUnable to open /dev/kfd read-write: Permission denied\n", status=1)
    fact = probe_amd(RecordedSystem(commands={"rocminfo": refused}))
    assert (fact.state, fact.why) == ("unknown", "Unable to open /dev/kfd read-write: Permission denied")
    told = said("GPU: 0\n    ASIC:\n        MARKET_NAME: N/A\n        TARGET_GRAPHICS_VERSION: gfx90a\n")
    fact = probe_amd(RecordedSystem(commands={"rocminfo": refused, "amd-smi static": told}))
    assert (fact.value, fact.source) == ((AmdGpu(gfx="gfx90a"),), "amd-smi")


def test_the_groups_that_open_amds_devices_are_named():
    """By number, as the kernel lists them for this process."""
    groups = "root:x:0:\nvideo:x:44:me\nrender:x:109:\nusers:x:100:\n"
    assert parse_groups(groups, "Gid:\t1000\t1000\t1000\t1000\nGroups:\t44 100 \n") == {"video", "users"}
    files = {"/etc/group": groups, "/proc/self/status": "Gid:\t1000\t1000\nGroups:\t44 \n", "/dev/kfd": ""}
    system = RecordedSystem(
        files=files, environ={"HSA_OVERRIDE_GFX_VERSION": "10.3.0", "HIP_VISIBLE_DEVICES": "-1"}
    )
    facts = probe_all_amd(system, paper_python())
    assert (facts["amd.groups"].value, facts["amd.kfd"].value) == (("video",), "read-write")
    assert facts["amd.gfx_override"].value == "10.3.0"
    assert facts["amd.hip_visible"].value.kind == "none"


@pytest.mark.parametrize(
    ("line", "metal"),
    [
        ("      Metal Support: Metal 3\n", "Metal 3"),
        ("      Metal Family: Supported, Metal GPUFamily Apple 7\n", "Supported, Metal GPUFamily Apple 7"),
        ("      Vendor: Apple (0x106b)\n", None),
    ],
)
def test_metal_is_read_in_the_words_of_each_macos(line, metal):
    """The wording changed with the years."""
    assert parse_metal(f"Graphics/Displays:\n\n    Apple M1:\n\n{line}") == metal


@given(st.text())
def test_no_text_breaks_a_reader(text):
    """Every reader gives a value, nothing or None."""
    for parse in (
        parse_xids, parse_nvcc, parse_toolkit_json, parse_toolkit_txt, parse_registry, parse_rocminfo, parse_amd_smi,
        parse_metal, parse_visible,
    ):  # fmt: skip
        parse(text)
    parse_groups(text, text)


entries = st.sampled_from(["0", "1", "-1", "GPU-ab", "MIG-cd", "", "x", "07", " 2 "])


@given(st.lists(entries, max_size=6), st.none() | st.integers(0, 4))
def test_what_is_shown_and_what_is_ignored_make_the_whole(words, count):
    """Nothing of a list of GPUs is lost, and a reason is given just where something is ignored."""
    visible = parse_visible(",".join(words), count=count)
    assert [*visible.shown, *visible.ignored] == [word.strip() for word in (words or [""])]
    assert (visible.why is None) == (not visible.ignored)
