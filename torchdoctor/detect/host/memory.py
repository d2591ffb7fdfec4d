"""Memory, shared memory and free disk, in MiB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.detect.host.cgroup import probe_memory_limit
from torchdoctor.detect.host.cpu import parse_sysctl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["DISK_NAMES", "MEMORY_NAMES", "parse_meminfo", "probe_disk", "probe_memory"]

_WINDOWS = "GlobalMemoryStatusEx"
_SHM = "/dev/shm"  # noqa: S108  (its size is read)
MEMORY_NAMES = (
    "system.memory.total",
    "system.memory.available",
    "system.memory.limit",
    "system.shm",
    "system.shm_free",
)
DISK_NAMES = ("system.disk.environment", "system.disk.cache", "system.disk.temporary")


def probe_memory(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `MEMORY_NAMES`."""
    nothing = absent(message("{system} has none", system=python.sys_platform))
    if python.sys_platform == "linux":
        path = "/proc/meminfo"
        rows = parse_meminfo(system.read_text(path) or "")
        shared = system.space(_SHM) if system.exists(_SHM) else None
        none = absent(_SHM, why=message("it is not there"))
        return {
            "system.memory.total": _said(rows.get("MemTotal"), path),
            "system.memory.available": _said(rows.get("MemAvailable"), path),
            "system.memory.limit": probe_memory_limit(system),
            "system.shm": found(shared.total_mib, _SHM) if shared else none,
            "system.shm_free": found(shared.free_mib, _SHM) if shared else none,
        }
    rest = dict.fromkeys(MEMORY_NAMES[2:], nothing)
    if python.sys_platform == "darwin":
        available: Fact[int] = unknown(message("it is not asked for"), "darwin")
        return {"system.memory.total": _mac_total(system), "system.memory.available": available, **rest}
    memory = system.memory()
    return {
        "system.memory.total": _said(memory.total_mib if memory else None, _WINDOWS),
        "system.memory.available": _said(memory.free_mib if memory else None, _WINDOWS),
        **rest,
    }


def _said(value: int | None, source: str) -> Fact[int]:
    return found(value, source) if value is not None else unknown(message("it does not say"), source)


def parse_meminfo(text: str) -> dict[str, int]:
    """MiB of each line that counts kB."""
    pairs = re.findall(r"^(\w{1,40}):\s+(\d{1,15}) kB$", text, re.MULTILINE | re.ASCII)
    return {name: int(kib) >> 10 for name, kib in pairs}


def _mac_total(system: System) -> Fact[int]:
    source = "sysctl hw.memsize"
    size = parse_sysctl(system.run(["/usr/sbin/sysctl", "hw.memsize"]).stdout).get("hw.memsize", "")
    return _said(int(size) >> 20 if re.fullmatch(r"\d{1,18}", size, re.ASCII) else None, source)


def probe_disk(system: System, places: Mapping[str, str]) -> Mapping[str, Fact[object]]:
    """The facts of `DISK_NAMES`: what this user may still write where each of them lies."""
    facts: dict[str, Fact[object]] = {}
    for name in DISK_NAMES:
        place = places.get(name.rpartition(".")[2])
        if not place:
            facts[name] = unknown(message("no folder was named"), "the caller")
            continue
        space = system.space(place)
        facts[name] = (
            found(space.free_mib, "statvfs")
            if space
            else unknown(message("the file system does not say"), "statvfs")
        )
    return facts
