"""NVIDIA's driver and GPUs by their witnesses: a library of NVML's ABI, fake tools, kernel files, PCI."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.detect.nvml import nvml_system
from tests.detect.recorded_system import RecordedSystem, said
from torchdoctor.core.system import Completed, HostSystem
from torchdoctor.detect import Nvidia, NvidiaGpu
from torchdoctor.detect.nvidia.probe import probe_nvidia

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform != "linux", reason="the fake library and tools are for Linux")
pytestmark = linux

NO_LIBRARY = said('{"error": "library-not-found", "detail": "there is no NVML library (libnvidia-ml)"}')
SMI = "nvidia-smi --query-gpu=name,compute_cap,memory.total,driver_version"
OLD_SMI = "nvidia-smi --query-gpu=name,memory.total,driver_version"


def _tool(folder: Path, text: str) -> None:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _with_tool(root: Path) -> HostSystem:
    return HostSystem(environ={"PATH": f"{root}{os.pathsep}/usr/bin{os.pathsep}/bin"}, root=root)


# --- NVML -----------------------------------------------------------------------------------------------------


def test_nvml_names_the_driver_and_every_gpu(library, tmp_path):
    """Eight GPUs of two generations come with capability and memory."""
    text = (
        "driver 550.54.15\n"
        + "gpu 8 0 85899345920 NVIDIA A100-SXM4-80GB\ngpu 9 0 85899345920 NVIDIA H100\n" * 4
    )
    facts = probe_nvidia(nvml_system(library, tmp_path, text))
    assert (facts.driver.value, facts.driver.source) == ("550.54.15", "NVML")
    assert facts.machine is not None
    assert len(facts.machine.gpus) == 8
    assert facts.machine.gpus[1] == NvidiaGpu(name="NVIDIA H100", compute_capability="9.0", memory_mib=81920)


def test_a_gpu_that_shares_memory_has_none_of_its_own(library, tmp_path):
    """What NVML does not support is unknown, and the rest is kept."""
    facts = probe_nvidia(nvml_system(library, tmp_path, "driver 580.95.05\ngpu 12 1 0 NVIDIA GB10\n"))
    assert facts.gpus.value == (NvidiaGpu(name="NVIDIA GB10", compute_capability="12.1"),)


def test_a_lost_gpu_leaves_the_others(library, tmp_path):
    """One device that fell off the bus does not hide the rest."""
    text = "driver 550.54.15\ngpu 8 0 1073741824 lost\ngpu 8 0 1073741824 NVIDIA A100\n"
    facts = probe_nvidia(nvml_system(library, tmp_path, text))
    assert [gpu.name for gpu in facts.gpus.value or ()] == ["NVIDIA A100"]


def test_a_driver_without_a_gpu_is_no_nvidia_machine(library, tmp_path):
    """NVML answers and counts none: the driver is a fact, the machine has no NVIDIA part."""
    facts = probe_nvidia(nvml_system(library, tmp_path, "driver 550.54.15\n"))
    assert (facts.driver.value, facts.gpus.state, facts.machine) == ("550.54.15", "absent", None)


def test_a_library_newer_than_the_module_is_unknown_with_the_reason(library, tmp_path):
    """After an update without a restart the driver is the one loaded, and the GPUs cannot be listed."""
    system = nvml_system(library, tmp_path, "init 18\n")
    (tmp_path / "sys/module/nvidia").mkdir(parents=True)
    (tmp_path / "sys/module/nvidia/version").write_text("550.54.15\n")
    facts = probe_nvidia(system)
    assert (facts.gpus.state, facts.driver.value) == ("unknown", "550.54.15")
    assert "mismatch" in (facts.gpus.why or "")
    assert facts.machine == Nvidia(driver="550.54.15")


def test_a_library_without_a_driver_is_absence(library, tmp_path):
    """A container image may hold the library on a machine without a GPU."""
    facts = probe_nvidia(nvml_system(library, tmp_path, "init 9\n"))
    assert (facts.driver.state, facts.gpus.state, facts.machine) == ("absent", "absent", None)


def test_a_driver_that_hangs_is_given_up(library, tmp_path, monkeypatch):
    """The limit holds, nvidia-smi (which would hang too) is not asked, and the reason is told."""
    monkeypatch.setattr(HostSystem.run, "__kwdefaults__", {"timeout": 0.5})
    system = nvml_system(library, tmp_path, "hang\n")
    _tool(tmp_path, f"touch {tmp_path}/asked")
    began = time.monotonic()
    facts = probe_nvidia(system)
    assert time.monotonic() - began < 20
    assert facts.gpus.why == "NVML did not answer within 0.5 s"
    assert not (tmp_path / "asked").exists()


def test_an_answer_of_a_thousand_gpus_is_cut(library, tmp_path):
    """More than 1,024 devices are no machine; the first are kept."""
    facts = probe_nvidia(
        nvml_system(library, tmp_path, "driver 550.54.15\n" + "gpu 8 0 1073741824 A100\n" * 1500)
    )
    assert len(facts.gpus.value or ()) == 1024


# --- nvidia-smi -----------------------------------------------------------------------------------------------


@pytest.mark.process
def test_nvidia_smi_is_asked_when_there_is_no_library(tmp_path):
    """Without NVML the tool's table gives driver and GPUs."""
    _tool(tmp_path, "echo 'NVIDIA GeForce RTX 4090, 8.9, 24564, 550.54.15'")
    facts = probe_nvidia(_with_tool(tmp_path))
    gpu = NvidiaGpu(name="NVIDIA GeForce RTX 4090", compute_capability="8.9", memory_mib=24564)
    assert facts.machine == Nvidia(driver="550.54.15", gpus=(gpu,))
    assert facts.gpus.source == "nvidia-smi"


@pytest.mark.process
def test_an_old_nvidia_smi_is_asked_without_the_capability(tmp_path):
    """Drivers up to 470 do not know compute_cap and say so on stdout with status 2."""
    _tool(
        tmp_path,
        'case "$1" in *compute_cap*) echo \'Field "compute_cap" is not a valid field to query.\'; exit 2;; esac\n'
        "echo 'Tesla K80, 11441, 470.182.03'",
    )
    facts = probe_nvidia(_with_tool(tmp_path))
    assert facts.machine == Nvidia(driver="470.182.03", gpus=(NvidiaGpu(name="Tesla K80", memory_mib=11441),))


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", "version mismatch"),
        ("echo 'Bitte warten Sie'", "its answer makes no sense"),
        ("exit 3", "nvidia-smi failed with status 3"),
        ("yes | head -c 100000000", "printed more than"),
        (r"printf '\377\376\000'", "its answer makes no sense"),
        ("sleep 60", "did not answer within"),
    ],
)
def test_an_nvidia_smi_that_fails_is_unknown_with_the_reason(tmp_path, monkeypatch, script, why):
    """Failing, rubbish, another language, 100 MB, no text, never ending: soon over, never a guess."""
    monkeypatch.setattr(HostSystem.run, "__kwdefaults__", {"timeout": 1.0})
    _tool(tmp_path, script)
    began = time.monotonic()
    facts = probe_nvidia(_with_tool(tmp_path))
    assert time.monotonic() - began < 20
    assert (facts.gpus.state, facts.machine) == ("unknown", None)
    assert why in (facts.gpus.why or "")


def test_wsl_keeps_its_tool_in_a_folder_of_its_own():
    """When PATH has none, WSL's own nvidia-smi is asked."""
    tool = SMI.replace("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")
    system = RecordedSystem(
        commands={"nvml": NO_LIBRARY, tool: said("NVIDIA GeForce RTX 3070, 8.6, 8192, 551.61\n")}
    )
    facts = probe_nvidia(system)
    assert (facts.driver.value, facts.gpus.source) == ("551.61", "/usr/lib/wsl/lib/nvidia-smi")


def test_no_devices_is_an_answer():
    """nvidia-smi that finds no device says that there is none."""
    system = RecordedSystem(commands={"nvml": NO_LIBRARY, SMI: said("No devices were found\n", status=6)})
    assert probe_nvidia(system).gpus.state == "absent"


# --- the kernel and the bus -----------------------------------------------------------------------------------

RTX_4090 = {
    "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
    "/sys/bus/pci/devices/0000:01:00.0/device": "0x2684\n",
    "/sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
    "/sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n",
    "/sys/bus/pci/devices/0000:01:00.1/device": "0x22ba\n",
    "/sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n",
}
LOADED = {"/sys/module/nvidia/version": "550.54.15\n"}


def test_a_gpu_without_a_driver_is_seen_on_the_bus():
    """The machine has an NVIDIA GPU whose driver is missing, which is not the same as none."""
    facts = probe_nvidia(RecordedSystem(files=RTX_4090, commands={"nvml": NO_LIBRARY}))
    assert facts.machine == Nvidia(driver=None, gpus=(NvidiaGpu(name="NVIDIA GeForce RTX 4090"),))
    assert (facts.driver.state, facts.gpus.source) == ("absent", "PCI")


def test_a_containers_host_driver_is_not_its_own():
    """The module shows in every container of a GPU host; without a device node nothing was passed in."""
    files = {**RTX_4090, **LOADED, "/.dockerenv": ""}
    facts = probe_nvidia(RecordedSystem(files=files, commands={"nvml": NO_LIBRARY}))
    assert (facts.driver.value, facts.gpus.state, facts.machine) == ("550.54.15", "absent", None)
    assert "no GPU is passed into this container" in (facts.gpus.why or "")


def test_a_container_with_the_device_and_no_library_keeps_it():
    """A device node without tools: the GPU is named by the bus."""
    files = {**RTX_4090, **LOADED, "/.dockerenv": "", "/dev/nvidia0": ""}
    facts = probe_nvidia(RecordedSystem(files=files, commands={"nvml": NO_LIBRARY}))
    assert facts.machine == Nvidia(driver="550.54.15", gpus=(NvidiaGpu(name="NVIDIA GeForce RTX 4090"),))


def test_a_loaded_driver_that_nobody_can_ask_is_unknown():
    """Without library, tool and bus the driver stands and the GPUs are unknown, not absent."""
    facts = probe_nvidia(RecordedSystem(files=LOADED, commands={"nvml": NO_LIBRARY}))
    assert (facts.gpus.state, facts.machine) == ("unknown", Nvidia(driver="550.54.15"))


def test_nothing_of_nvidias_is_absence():
    """No library, no module, no tool, no device."""
    facts = probe_nvidia(RecordedSystem(commands={"nvml": NO_LIBRARY}))
    assert (facts.driver.state, facts.gpus.state, facts.machine) == ("absent", "absent", None)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"gpus": 3}', "\x00", '{"gpus": [{"name": 5}]}'])
def test_an_nvml_process_that_prints_rubbish_is_unknown(text):
    """Its answer is checked like any other."""
    facts = probe_nvidia(RecordedSystem(commands={"nvml": said(text)}))
    assert facts.gpus.state == "unknown"


def test_a_crash_inside_the_library_is_unknown():
    """A broken library takes its own process down and not ours."""
    crash = Completed(argv=("python",), status=-11, failure="status")
    assert "status -11" in (probe_nvidia(RecordedSystem(commands={"nvml": crash})).gpus.why or "")
