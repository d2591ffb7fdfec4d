"""Drivers that refuse and GPUs in trouble: the C library answers, files stand for the rest of the machine."""

from __future__ import annotations

import sys

import pytest

from tests.detect.nvml import nvml_system
from tests.detect.recorded_system import paper_python
from torchdoctor.detect import detect
from torchdoctor.diagnose import Evidence, Observation, diagnose, live_failures
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.doctor.evidence import machine_observations, refusals

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the library is built for Linux")

CARD = (
    "driver 570.124.06\ncuda 12080\ngpu 8 0 42949672960 NVIDIA A100\n"
    "set uuid GPU-11111111-1111-4111-8111-111111111111\n"
)
DOCKER = {".dockerenv": ""}
LOADED = {"sys/module/nvidia/version": "570.124.06\n"}
PCI = {
    f"sys/bus/pci/devices/0000:01:00.0/{name}": text
    for name, text in (("vendor", "0x10de\n"), ("device", "0x2684\n"), ("class", "0x030000\n"))
}


def _bound(driver):
    return {**PCI, "sys/bus/pci/devices/0000:01:00.0/uevent": f"DRIVER={driver}\n"}


@pytest.mark.parametrize(
    ("answers", "files", "failure"),
    [
        ("init 18\n", {}, "driver-library-mismatch"),
        ("init 4\n", {}, "nvidia-device-permission"),
        ("init 15\n", {}, "gpu-xid-hardware"),
        ("init 999\n", DOCKER, "container-lost-gpu-cgroup"),
        ("init 9\n", PCI, "driver-missing"),
        ("init 9\n", {**PCI, **DOCKER}, "container-without-gpu"),
        ("init 9\n", {**LOADED, **DOCKER}, "container-without-gpu"),
        ("init 9\n", _bound("nouveau"), "nouveau-or-other-driver-bound"),
        ("init 9\n", _bound("vfio-pci"), "nouveau-or-other-driver-bound"),
        ("init 9\n", LOADED, "dev-nodes-missing"),
        (f"{CARD}set compute_mode 2\n", {}, "exclusive-compute-mode"),
        (f"{CARD}set ecc_errors 1 1\n", {}, "gpu-ecc-errors"),
        (f"{CARD}set rows 0 1 1 0\n", {}, "gpu-ecc-errors"),
        (f"{CARD}set mig 1 1\n", {}, "mig-not-selected"),
        (f"{CARD}set throttle 64\n", {}, "thermal-or-power-throttling"),
        (f"{CARD}set used 42900000000\n", {}, "gpu-memory-held-by-others"),
        (f"{CARD}set pcie_width 4\nset pcie_width_max 16\n", {}, "pcie-link-degraded"),
        (f"{CARD}set fabric 3 999\n", {}, None),
        (f"{CARD}gpu 8 0 1 lost\n", {}, "gpu-xid-hardware"),
        (CARD, DOCKER, None),
        (CARD, {}, None),
    ],
)
def test_a_state_of_driver_or_gpu_is_its_finding(library, tmp_path, answers, files, failure):
    """The first finding is the cause, or there is none; the environment has a CUDA build."""
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    seen = detect(nvml_system(library, tmp_path, answers), python=paper_python())
    torch = (
        Observation(name="torch.version", value="2.9.1+cu128", source="torch"),
        Observation(name="torch.build", value="cu128", source="build"),
    )
    case = Evidence(facts=(*machine_observations(seen), *torch)).merged_with(
        parse_report("\n".join(refusals(seen)))
    )
    found = diagnose(case, failures=live_failures()).findings
    assert [row.id for row in found[:1]] == ([failure] if failure else []), found
