"""Processor, memory, control groups and containers, by texts that real systems show."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.core.system.model import Space
from torchdoctor.core.system.windows_memory import MemoryStatus
from torchdoctor.detect.host.cgroup import (
    parse_cpu_max,
    parse_memory_max,
    probe_cpu_limit,
    probe_memory_limit,
)
from torchdoctor.detect.host.container import (
    parse_cgroup_container,
    parse_wsl_version,
    probe_container,
    probe_wsl_version,
)
from torchdoctor.detect.host.cpu import parse_cpu_list, parse_cpuinfo, parse_lscpu, parse_sysctl, probe_cpu
from torchdoctor.detect.host.memory import parse_meminfo, probe_disk, probe_memory

SHM = "/dev/shm"  # noqa: S108
# A Raspberry Pi 5's, as the kernel writes it for ARM: numbers in place of names.
ARM = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd crc32 sve\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"
LSCPU_ARM = """\
Architecture:             aarch64
CPU(s):                   4
Vendor ID:                ARM
Model name:               Cortex-A76
Core(s) per cluster:      4
Socket(s):                -
Cluster(s):               1
Flags:                    fp asimd evtstrm
"""


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("4.4.0-19041-Microsoft\n", 1),
        ("4.19.121-microsoft-standard\n", 2),
        ("5.15.153.1-microsoft-standard-WSL2", 2),
        ("6.6.87.2-microsoft-standard-WSL2+", 2),
        ("6.8.0-45-generic", None),
        ("6.1.0-Microsoft-custom", None),
    ],
)
def test_wsl_is_told_by_the_kernels_name(release, version):
    """Version 1 stays at the kernel 4.4; a kernel of one's own is not guessed at."""
    assert parse_wsl_version(release) == version


def test_a_kernel_of_ones_own_under_wsl_is_unknown():
    """It is WSL, and which is not said."""
    system = RecordedSystem(files={"/proc/sys/kernel/osrelease": "6.1.0-Microsoft-custom\n"})
    assert probe_wsl_version(system).state == "unknown"


@pytest.mark.parametrize(
    ("files", "environ", "kind"),
    [
        (("/.dockerenv",), {}, "docker"),
        (("/run/.containerenv",), {}, "podman"),
        (("/.dockerenv", "/var/run/secrets/kubernetes.io/serviceaccount/token"), {}, "kubernetes"),
        ((), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        (("/.singularity.d/runscript",), {}, "singularity"),
        (("/.dockerenv",), {"APPTAINER_CONTAINER": "/a.sif"}, "apptainer"),
        ((), {"SINGULARITY_NAME": "a.sif"}, "singularity"),
        ((), {"container": "lxc"}, "lxc"),
        ((), {"container": "wsl"}, None),
        ((), {"container": "\x1b[2J"}, "2J"),
    ],
)
def test_a_container_is_told_by_its_marks(files, environ, kind):
    """Each runtime leaves a file or a variable; Kubernetes runs others' containers."""
    assert probe_container(RecordedSystem(files=dict.fromkeys(files, ""), environ=environ)).value == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12:memory:/docker/0a1b2c\n1:name=systemd:/docker/0a1b2c\n", "docker"),
        ("11:cpu:/kubepods/besteffort/pod1/abc\n", "kubernetes"),
        ("0::/kubepods.slice/kubepods-burstable.slice\n", "kubernetes"),
        ("0::/machine.slice/libpod-abc.scope\n", "podman"),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", None),
        ("0::/system.slice/docker.service\n", None),
        ("", None),
    ],
)
def test_a_container_is_told_by_its_group(text, kind):
    """Docker's own service is none."""
    assert parse_cgroup_container(text) == kind


def test_the_least_limit_of_the_groups_counts():
    """Version 2: the own group grants four processors, the one above it two."""
    files = {
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
        "/sys/fs/cgroup/a/cpu.max": "200000 100000\n",
        "/sys/fs/cgroup/a/b/memory.max": "max\n",
        "/sys/fs/cgroup/a/memory.max": f"{3 << 30}\n",
    }
    system = RecordedSystem(files=files)
    assert (probe_cpu_limit(system).value, probe_cpu_limit(system).source) == (
        2.0,
        "/sys/fs/cgroup/a/cpu.max",
    )
    assert probe_memory_limit(system).value == 3072


def test_groups_of_version_1_are_read():
    """Quota and period in two files; the largest number stands for no limit."""
    files = {
        "/proc/self/cgroup": "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }
    assert probe_cpu_limit(RecordedSystem(files=files)).value == 1.5
    assert probe_memory_limit(RecordedSystem(files=files)).state == "absent"


def test_an_arm_processor_is_named_by_lscpu():
    """The kernel knows numbers, lscpu the names; the features are the kernel's."""
    files = {"/proc/cpuinfo": ARM, "/sys/devices/system/cpu/online": "0-3\n"}
    facts = probe_cpu(RecordedSystem(files=files, commands={"lscpu": said(LSCPU_ARM)}), paper_python())
    assert (facts["system.cpu.model"].value, facts["system.cpu.vendor"].source) == ("Cortex-A76", "lscpu")
    assert facts["system.cpu.features"].value == ("asimd", "crc32", "fp", "sve")
    assert (facts["system.cpu.cores"].value, facts["system.cpu.threads"].value) == (4, 4)


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("lm sse2", "x86-64-v1"),
        ("lm cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx", "x86-64-v2"),
        (
            "lm cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave avx512f",
            "x86-64-v3",
        ),
        ("lm avx avx2 bmi1 bmi2 f16c fma abm movbe xsave", "x86-64-v1"),
        ("fp asimd", None),
    ],
)
def test_a_processors_level_is_the_highest_without_a_gap(flags, level):
    """A feature that lacks is not made up for by a higher one; ARM has no such level."""
    system = RecordedSystem(files={"/proc/cpuinfo": f"processor : 0\nflags : {flags}\n"})
    assert probe_cpu(system, paper_python())["system.cpu.level"].value == level


def test_threads_of_one_core_are_one_core():
    """Two threads each, on two cores."""
    topology = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    files = {topology.format(place): f"{place % 2},{place % 2 + 2}\n" for place in range(4)}
    facts = probe_cpu(RecordedSystem(files=files), paper_python())
    assert facts["system.cpu.cores"].value == 2


def test_a_windows_machine_says_its_processor():
    """The environment and the registry."""
    name = "    ProcessorNameString    REG_SZ    AMD Ryzen 9 5900X 12-Core Processor            \r\n"
    environ = {
        "PROCESSOR_IDENTIFIER": "AMD64 Family 25 Model 33 Stepping 0, AuthenticAMD",
        "NUMBER_OF_PROCESSORS": "24",
    }
    system = RecordedSystem(
        environ=environ, commands={"reg query": said(f"\r\nHKEY_LOCAL_MACHINE\\X\r\n{name}")}
    )
    facts = probe_cpu(system, paper_python(sys_platform="win32"))
    assert [facts[f"system.cpu.{part}"].value for part in ("vendor", "model", "threads")] == [
        "AuthenticAMD",
        "AMD Ryzen 9 5900X 12-Core Processor",
        24,
    ]


def test_a_mac_says_its_processor_though_sysctl_fails():
    """What it prints counts, whatever its status."""
    text = "machdep.cpu.brand_string: Apple M4\nhw.physicalcpu: 10\nhw.logicalcpu: 10\n"
    text += "hw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.FEAT_SME: 1\nhw.optional.arm.FEAT_RME: 0\n"
    answer = said(text, status=1, stderr="sysctl: unknown oid 'machdep.cpu.vendor'\n")
    facts = probe_cpu(
        RecordedSystem(commands={"/usr/sbin/sysctl": answer}), paper_python(sys_platform="darwin")
    )
    said_of = [facts[f"system.cpu.{part}"].value for part in ("vendor", "model", "cores")]
    assert said_of == ["Apple", "Apple M4", 10]
    assert facts["system.cpu.features"].value == ("feat_bf16", "feat_sme")


def test_memory_and_shared_memory_are_told_in_mebibytes():
    """The kernel counts kB, statvfs bytes."""
    files = {"/proc/meminfo": "MemTotal:       24683656 kB\nMemAvailable:   23700876 kB\n", f"{SHM}/x": ""}
    system = RecordedSystem(files=files, spaces={SHM: Space(total_mib=64, free_mib=60)})
    facts = probe_memory(system, paper_python())
    names = ("system.memory.total", "system.memory.available", "system.shm", "system.shm_free")
    assert [facts[name].value for name in names] == [24105, 23145, 64, 60]


def test_windows_counts_its_own_memory():
    """One call gives both; its structure has the size that Windows asks for."""
    system = RecordedSystem(installed=Space(total_mib=32768, free_mib=1024))
    facts = probe_memory(system, paper_python(sys_platform="win32"))
    assert [facts[f"system.memory.{part}"].value for part in ("total", "available")] == [32768, 1024]
    assert ctypes.sizeof(MemoryStatus) == 64


def test_disk_is_told_where_a_folder_is_named():
    """A folder that nobody named, and a file system that says nothing, are unknown."""
    system = RecordedSystem(spaces={"/env": Space(total_mib=10, free_mib=5)})
    facts = probe_disk(system, {"environment": "/env", "cache": "", "temporary": "/tmp"})  # noqa: S108
    assert facts["system.disk.environment"].value == 5
    assert {facts["system.disk.cache"].state, facts["system.disk.temporary"].state} == {"unknown"}


@pytest.mark.parametrize(
    ("text", "count"), [("0-3,8,10-11", 7), ("0", 1), ("", None), ("3-1", None), ("a", None), ("0-99999", 100000)]
)  # fmt: skip
def test_a_list_of_processors_is_counted(text, count):
    """Ranges and single numbers; nonsense is none."""
    assert parse_cpu_list(text) == count


@given(st.text())
def test_no_text_breaks_a_reader(text):
    """Every reader gives a value or None."""
    for parse in (
        parse_cpu_list, parse_cpuinfo, parse_lscpu, parse_sysctl, parse_meminfo, parse_cpu_max, parse_memory_max,
        parse_wsl_version, parse_cgroup_container,
    ):  # fmt: skip
        parse(text)
