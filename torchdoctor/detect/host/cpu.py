"""The processor: vendor, model, features, cores, and how many of its threads this process may use.

1. /proc/cpuinfo and sysfs on Linux, sysctl on macOS, the environment on Windows.
2. lscpu, which knows the names of ARM's processors by their numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.host.cgroup import probe_cpu_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["CPU_NAMES", "Cpu", "parse_cpu_list", "parse_cpuinfo", "parse_lscpu", "parse_sysctl", "probe_cpu"]

CPU_NAMES = (
    "system.cpu.vendor",
    "system.cpu.model",
    "system.cpu.features",
    "system.cpu.level",
    "system.cpu.cores",
    "system.cpu.threads",
    "system.cpu.allowed",
    "system.cpu.limit",
)
_INFO = "/proc/cpuinfo"
_SYSFS = "/sys/devices/system/cpu"
_FEATURE_LIMIT = 400
# What level 2, 3 and 4 add, as the kernel spells it: https://gitlab.com/x86-psABIs/x86-64-ABI, table 3.1.
_LEVELS = (
    frozenset({"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)
_MAC = (
    "machdep.cpu.vendor", "machdep.cpu.brand_string", "machdep.cpu.features", "machdep.cpu.leaf7_features",
    "hw.physicalcpu", "hw.logicalcpu", "hw.optional.arm",
)  # fmt: skip
# https://developer.apple.com/documentation/kernel/1387446-sysctlbyname: hw.optional.arm.FEAT_BF16: 1
_ARM = "hw.optional.arm."


@dataclass(frozen=True, kw_only=True, slots=True)
class Cpu:
    """What one text says of the processor; None and () for what it does not say."""

    vendor: str | None = None
    model: str | None = None
    features: tuple[str, ...] = ()
    cores: int | None = None
    threads: int | None = None


def probe_cpu(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `CPU_NAMES`."""
    if python.sys_platform == "darwin":
        return _mac(system)
    return _windows(system) if python.sys_platform == "win32" else _linux(system)


def _linux(system: System) -> Mapping[str, Fact[object]]:
    # A block is some 1.5 KB long, and the first one says what all of them are.
    said = parse_cpuinfo(system.read_text(_INFO, limit=1 << 14) or "")
    threads, cores = _count(system, f"{_SYSFS}/online"), _cores(system)
    if None in (said.vendor, said.model, threads, cores):
        answer = system.run(["lscpu"])
        other = parse_lscpu(answer.stdout if answer.ok else "")
    else:
        other = Cpu()
    return {
        "system.cpu.vendor": _either((said.vendor, _INFO), (other.vendor, "lscpu")),
        "system.cpu.model": _either((said.model, _INFO), (other.model, "lscpu")),
        "system.cpu.features": _either((said.features or None, _INFO), (other.features or None, "lscpu")),
        "system.cpu.level": _level(said.features, other.features),
        "system.cpu.cores": _either((cores, _SYSFS), (other.cores, "lscpu")),
        "system.cpu.threads": _either((threads, f"{_SYSFS}/online"), (other.threads, "lscpu")),
        "system.cpu.allowed": _allowed(system),
        "system.cpu.limit": probe_cpu_limit(system),
    }


def _either(*witnesses: tuple[object, str]) -> Fact[object]:
    for value, source in witnesses:
        if value is not None:
            return found(value, source)
    return unknown(message("neither says"), " and ".join(source for _, source in witnesses))


def _level(*witnesses: tuple[str, ...]) -> Fact[str]:
    """The highest level whose features, and those of the levels below it, are all there."""
    for features, source in zip(witnesses, (_INFO, "lscpu"), strict=True):
        if "lm" in features:
            missing = (level for level, names in enumerate(_LEVELS, 1) if not names <= set(features))
            return found(f"x86-64-v{next(missing, len(_LEVELS) + 1)}", source)
    return absent(
        message("{file} and lscpu", file=_INFO), why=message("it is no x86-64 processor, or does not say")
    )


def _count(system: System, path: str) -> int | None:
    return parse_cpu_list(system.read_text(path, limit=4096) or "")


def _cores(system: System) -> int | None:
    """Threads that are siblings make one core."""
    groups = {
        system.read_text(path, limit=256)
        for path in system.glob(f"{_SYSFS}/cpu[0-9]*/topology/thread_siblings_list")
    }
    return len(groups - {None}) or None


def _allowed(system: System) -> Fact[int]:
    """Threads that the scheduler may use for this process (taskset, Slurm, docker --cpuset-cpus)."""
    path = "/proc/self/status"
    match = re.search(r"^Cpus_allowed_list:\s*([\d,-]+)$", system.read_text(path) or "", re.MULTILINE)
    count = parse_cpu_list(match[1]) if match else None
    return found(count, path) if count else unknown(message("it does not say"), path)


def parse_cpu_list(text: str) -> int | None:
    """How many numbers a list such as 0-3,8,10-11 holds."""
    count = 0
    for part in text.strip().split(","):
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part, re.ASCII)
        if match is None:
            return None
        count += int(match[2] or match[1]) - int(match[1]) + 1
    return count if count > 0 else None


def parse_cpuinfo(text: str) -> Cpu:
    """The first block of /proc/cpuinfo; ARM's has numbers in place of names, and those are no name."""
    rows = _rows(text)
    features = rows.get("flags") or rows.get("Features") or ""
    return Cpu(
        vendor=sanitize_line(rows.get("vendor_id", "")) or None,
        model=sanitize_line(rows.get("model name", "")) or None,
        features=_features(features),
    )


def parse_lscpu(text: str) -> Cpu:
    """What lscpu prints in English."""
    rows = _rows(text)
    per_socket, sockets = rows.get("Core(s) per socket", ""), rows.get("Socket(s)", "")
    clusters = rows.get("Core(s) per cluster", ""), rows.get("Cluster(s)", "")
    if not sockets.isdecimal() and clusters[1].isdecimal():
        per_socket, sockets = clusters
    numbers = [int(cell) for cell in (per_socket, sockets) if re.fullmatch(r"\d{1,5}", cell, re.ASCII)]
    threads = rows.get("CPU(s)", "")
    return Cpu(
        vendor=sanitize_line(rows.get("Vendor ID", "")) or None,
        model=sanitize_line(rows.get("Model name", "")).strip("-") or None,
        features=_features(rows.get("Flags", "")),
        cores=numbers[0] * numbers[1] or None if len(numbers) == 2 else None,  # noqa: PLR2004
        threads=int(threads) or None if re.fullmatch(r"\d{1,5}", threads, re.ASCII) else None,
    )


def _rows(text: str) -> dict[str, str]:
    """The first value of each name."""
    rows: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            rows.setdefault(name.strip(), value.strip())
    return rows


def _features(text: str) -> tuple[str, ...]:
    names = (name.lower() for name in text.split() if re.fullmatch(r"[\w.-]{1,40}", name, re.ASCII))
    return tuple(sorted(set(names)))[:_FEATURE_LIMIT]


def _mac(system: System) -> Mapping[str, Fact[object]]:
    source = "sysctl"
    # -i passes over the names that this chip, Apple's or Intel's, lacks.
    answer = system.run(["/usr/sbin/sysctl", "-i", *_MAC])
    rows = parse_sysctl(answer.stdout)
    cores, threads = rows.get("hw.physicalcpu", ""), rows.get("hw.logicalcpu", "")
    model = rows.get("machdep.cpu.brand_string")
    vendor = rows.get("machdep.cpu.vendor") or ("Apple" if (model or "").startswith("Apple ") else None)
    features = f"{rows.get('machdep.cpu.features', '')} {rows.get('machdep.cpu.leaf7_features', '')}"
    features += " ".join(
        ["", *(name[len(_ARM) :] for name in rows if name.startswith(_ARM) and rows[name] == "1")]
    )
    return {
        "system.cpu.vendor": _either((vendor, source)),
        "system.cpu.model": _either((model, source)),
        "system.cpu.features": _either((_features(features) or None, source)),
        "system.cpu.cores": _either((int(cores) if cores.isdecimal() else None, source)),
        "system.cpu.threads": _either((int(threads) if threads.isdecimal() else None, source)),
        "system.cpu.level": absent("darwin has none"),
        "system.cpu.allowed": absent("darwin has none"),
        "system.cpu.limit": absent("darwin has none"),
    }


def parse_sysctl(text: str) -> dict[str, str]:
    """Name and value of each line `name: value`; a value has at most 4,000 characters."""
    pairs = re.findall(r"^([a-z][\w.]{1,60}): (.{1,4000})$", text, re.MULTILINE | re.ASCII)
    return {name: sanitize_line(value, limit=4000) for name, value in pairs}


def _windows(system: System) -> Mapping[str, Fact[object]]:
    # "Intel64 Family 6 Model 158 Stepping 10, GenuineIntel"
    vendor = system.environ.get("PROCESSOR_IDENTIFIER", "").rpartition(",")[2]
    threads = system.environ.get("NUMBER_OF_PROCESSORS", "")
    counted = int(threads) if re.fullmatch(r"\d{1,4}", threads, re.ASCII) else None
    key = r"HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    answer = system.run(["reg", "query", key, "/v", "ProcessorNameString"])
    match = re.search(r"ProcessorNameString\s+REG_SZ\s+(.{1,200})$", answer.stdout, re.MULTILINE)
    why = "Windows is not asked for it"
    return {
        "system.cpu.vendor": _either((sanitize_line(vendor) or None, "PROCESSOR_IDENTIFIER")),
        "system.cpu.model": _either((sanitize_line(match[1]) if match else None, "reg query")),
        "system.cpu.features": unknown(why, "win32"),
        "system.cpu.level": unknown(why, "win32"),
        "system.cpu.cores": unknown(why, "win32"),
        "system.cpu.threads": _either((counted, "NUMBER_OF_PROCESSORS")),
        "system.cpu.allowed": unknown(why, "win32"),
        "system.cpu.limit": absent("win32 has none"),
    }
