"""What a control group lets this process use of the processors and of the memory, version 1 and 2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found
from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System

__all__ = [
    "memory_kills_count",
    "parse_cpu_max",
    "parse_memory_max",
    "probe_cpu_limit",
    "probe_memory_limit",
]

_ROOT = "/sys/fs/cgroup"
_OWN = "/proc/self/cgroup"
_DEPTH = 32


def probe_cpu_limit(system: System) -> Fact[float]:
    """Processors' worth of time, 1.5 for one and a half; the least of the own group's and of those above it."""
    limits: list[tuple[float, str]] = []
    for folder in _folders(system, "cpu"):
        for name, more in (("cpu.max", None), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
            text = system.read_text(f"{folder}/{name}", limit=80)
            if text is None:
                continue
            text = text if more is None else f"{text} {system.read_text(f'{folder}/{more}', limit=80) or ''}"
            limit = parse_cpu_max(text)
            if limit is not None:
                limits.append((limit, f"{folder}/{name}"))
    return found(*min(limits)) if limits else absent(_ROOT, why=message("no group sets a limit"))


def probe_memory_limit(system: System) -> Fact[int]:
    """MiB; the least of the own group's and of those above it."""
    limits: list[tuple[int, str]] = []
    for folder in _folders(system, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = parse_memory_max(system.read_text(f"{folder}/{name}", limit=80) or "")
            if limit is not None:
                limits.append((limit >> 20, f"{folder}/{name}"))
    return found(*min(limits)) if limits else absent(_ROOT, why=message("no group sets a limit"))


def memory_kills_count(system: System) -> int:
    """How many processes the kernel has killed in these groups for their memory limit, as far as they count it."""
    total = 0
    for folder in dict.fromkeys(_folders(system, "memory")):
        for name in ("memory.events", "memory.oom_control"):
            text = system.read_text(f"{folder}/{name}", limit=4096) or ""
            total += sum(int(count) for count in re.findall(r"^oom_kill (\d{1,15})$", text, re.MULTILINE))
    return total


def _folders(system: System, controller: str) -> Iterator[str]:
    """The group's own folder and each above it: a container sees its own as the root, a service does not."""
    own = system.read_text(_OWN) or ""
    for line in [*own.splitlines()[:64], f"0:{controller}:/", "0::/"]:
        match = re.fullmatch(r"\d+:([\w,=]*):(/[^\x00]*)", line, re.ASCII)
        if match is None or (match[1] and controller not in match[1].split(",")):
            continue
        base = f"{_ROOT}/{controller}" if match[1] else _ROOT
        parts = [part for part in match[2].split("/") if part not in ("", "..")][:_DEPTH]
        for depth in range(len(parts), -1, -1):
            yield "/".join([base, *parts[:depth]])


def parse_cpu_max(text: str) -> float | None:
    """Quota by period, both in microseconds; None where the quota is `max` or -1."""
    match = re.fullmatch(r"(\d{1,15})\s+(\d{1,15})", text.strip(), re.ASCII)
    if match is None or not int(match[1]) or not int(match[2]):
        return None
    return round(int(match[1]) / int(match[2]), 3)


def parse_memory_max(text: str) -> int | None:
    """Bytes; None for `max`, and for version 1's way to say that: the largest multiple of a page."""
    match = re.fullmatch(r"\d{1,19}", text.strip(), re.ASCII)
    return int(match[0]) if match and int(match[0]) < 1 << 60 else None
