"""The whole look: recorded machines replay, worlds of rubbish give no guess, and this machine is looked at soon."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded import RECORDED, replay
from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.core.system import host_system
from torchdoctor.detect import Machine, describe_python, detect

PATHS = (
    "/etc/os-release", "/proc/sys/kernel/osrelease", "/sys/module/nvidia/version", "/proc/driver/nvidia/version",
    "/sys/class/kfd/kfd/topology/nodes/1/properties", "/sys/module/amdgpu/version", "/.dockerenv",
    "/sys/bus/pci/devices/0000:01:00.0/vendor", "/sys/bus/pci/devices/0000:01:00.0/class",
    "/sys/bus/pci/devices/0000:01:00.0/device", "/sys/bus/pci/devices/0000:01:00.0/uevent",
    "/usr/share/misc/pci.ids", "/dev/nvidia0", "/dev/nvidia-nvswitch0", "/dev/kfd", "/dev/dri/renderD128",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/self/cgroup", "/proc/self/status", "/proc/1/cgroup", "/etc/group",
    "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/memory.max", "/sys/devices/system/cpu/online",
    "/proc/device-tree/model", "/etc/nv_tegra_release", "/usr/local/cuda/version.json", "/opt/rocm/.info/version",
    "/usr/lib64/libcuda.so.1", "/run/systemd/container", "/odd/libcudart.so.12",
)  # fmt: skip
COMMANDS = (
    "nvml", "nvidia-smi", "/usr/sbin/sysctl", "/lib/ld-musl-x86_64.so.1", "nvcc", "dmesg", "lscpu", "rocminfo",
    "amd-smi", "systemctl", "reg query", "/usr/sbin/system_profiler",
)  # fmt: skip
VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "CUDA_HOME", "container", "TMPDIR",
    "KUBERNETES_SERVICE_HOST", "PROCESSOR_IDENTIFIER", "CUDA_PATH_V12_4", "NUMBER_OF_PROCESSORS")  # fmt: skip
words = st.sampled_from([
    "0x10de", "0x8086", "0x030000", "0x2684", "gfx_target_version 110000", "550.54.15", "A, 8.9, 1, 550.1",
    '{"driver": "550.1", "gpus": [{"name": "A\\u001b"}]}\n[{"uuid": "\\u001b", "mig": [1, 1]}]',
    "VERSION_ID=1\x1b[2J", "DRIVER=nvidia", "0::/a/../b", "0-3", "200000 100000", "MemTotal: 5 kB",
    "model name : A\x1b[2J",
    "NVRM: Xid (PCI:0000:44:00): 79", "Agent 2\n  Name:  gfx90a\n  Marketing Name:  A\x1b[2J", "NVIDIA Jetson \x1b[2J",
    "| NVIDIA-SMI 550.1 Driver Version: 550.1 |\n| 0 A\x1b On | 00000000:01:00.0 Off | 0 |", "Apple M2", "/odd:\x1b[2J",
    "GPU 0: A\x1b[2J (UUID: GPU-1)", "Metal: \x1b[2J", "MatchingDeviceId REG_SZ PCI\\VEN_10DE&DEV_2684", "active",
])  # fmt: skip
texts = words | st.text(max_size=30)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_machine_replays(path):
    """Its texts give its machine, and each named fact its source."""
    record = json.loads(path.read_text("utf-8"))
    detection = replay(record)
    assert detection.machine.to_json() == record["machine"]
    sources = {row.name: row.fact.source for row in detection.facts}
    assert {name: sources[name] for name in record["sources"]} == record["sources"]
    for name, expected in record.get("facts", {}).items():
        fact = detection.fact(name)
        assert _plain(fact.value if fact.state == "found" else fact.state) == expected, name


def test_recorded_machines_say_where_they_come_from():
    """At least forty, each with the address of its report or recorded by us, none twice."""
    records = [json.loads(path.read_text("utf-8")) for path in RECORDED]
    assert len(records) >= 40
    assert all(re.match(r"https://github\.com/\S+/\d+|recorded$", record["source"]) for record in records)
    assert len({record["source"] for record in records}) == len(records)


def _plain(value):
    """A value as JSON writes it."""
    return json.loads(json.dumps(value, default=asdict))


@given(
    files=st.dictionaries(st.sampled_from(PATHS), texts),
    answers=st.dictionaries(
        st.sampled_from(COMMANDS), st.builds(said, texts, status=st.sampled_from([0, 1]))
    ),
    environ=st.dictionaries(st.sampled_from(VARIABLES), texts),
    system=st.sampled_from(["linux", "darwin", "win32"]),
)
def test_a_world_of_rubbish_gives_a_machine_that_can_be_written_down(files, answers, environ, system):
    """Whatever files, commands and variables hold, nothing raises, and what was found is safe to write and to show."""
    python = paper_python(sys_platform=system, libc=None)
    detection = detect(RecordedSystem(files=files, commands=answers, environ=environ), python=python)
    assert Machine.from_json(json.loads(json.dumps(detection.machine.to_json()))) == detection.machine
    assert "\x1b" not in detection.summary()
    for row in detection.facts:
        assert not re.search(r"[\x00-\x1f\x7f]", f"{row.fact.why or ''}{row.fact.source}"), row
        assert not any(re.search(r"[\x00-\x1f\x7f]", text) for text in _strings(row.fact.value)), row
        assert row.fact.source != "the probe", row


def _strings(value):
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)
    elif is_dataclass(value):
        yield from _strings(tuple(asdict(value).values()))


@pytest.mark.process
def test_every_fact_has_a_source_and_every_gap_a_reason():
    """Found facts have a value; unknown ones say why."""
    system = host_system(os.environ)
    for row in detect(system, python=describe_python(system, sys.executable)).facts:
        assert row.fact.source
        assert row.fact.state != "unknown" or row.fact.why
        assert row.fact.state != "found" or row.fact.value is not None


def test_the_summary_is_one_line():
    """System, C library, Python, GPUs with their number, driver."""
    answer = {
        "driver": "550.54.15",
        "gpus": [{"name": "NVIDIA A100", "capability": [8, 0], "memory": None}] * 2,
    }
    system = RecordedSystem(
        files={"/etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.4 LTS"\n'},
        commands={"nvml": said(json.dumps(answer))},
    )
    expected = (
        "Ubuntu 22.04.4 LTS x86_64, glibc 2.35, Python 3.12.4, 2 x NVIDIA A100, NVIDIA driver 550.54.15"
    )
    assert detect(system, python=paper_python()).summary() == expected


def test_the_summary_says_what_is_unknown():
    """A driver that cannot be asked is named with the reason, not passed off as no GPU."""
    system = RecordedSystem(commands={"nvml": said('{"error": "nvml", "detail": "Unknown Error"}')})
    assert detect(system, python=paper_python()).summary().endswith("NVIDIA GPUs unknown: Unknown Error")


@pytest.mark.process
def test_loading_the_package_loads_nothing_heavy():
    """NVML's bindings, uv and packaging's tags come when they are needed."""
    heavy = {"pynvml", "uv", "packaging.tags", "logging"}
    code = f"import sys, torchdoctor.detect; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
