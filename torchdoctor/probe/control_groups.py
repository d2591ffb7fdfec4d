"""What the control groups that this process is in allow it, of version 1 and 2: its own group and each above it.

A container sees its own group as the root; a service of systemd or a job of Slurm lies below it.
https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

import re
from pathlib import Path

from .text_file import read_text

__all__ = ["allowed_processors", "group_folders", "memory_left_mib", "most_processes"]

_ROOT = Path("/")
_MAX_GROUPS, _MAX_DEPTH = 64, 32
_LINE = re.compile(r"\d+:([\w,=]*):(/[^\x00]*)", re.ASCII)
_MIB = 1024 * 1024
# Version 1 says "no limit" by the largest multiple of a page.
_UNLIMITED_BYTES = 1 << 60


def memory_left_mib(root: Path = _ROOT) -> int | None:
    """Return the MiB that the groups still let their processes take; None where none sets a limit."""
    left = []
    for folder in group_folders("memory", root):
        for limit_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is not None and used is not None and limit < _UNLIMITED_BYTES:
                # The cache of files counts as used, and is given back when memory is needed.
                kept = re.search(rf"^{cache} (\d{{1,18}})$", read_text(folder / "memory.stat"), re.MULTILINE)
                left.append(max(limit - used + (int(kept.group(1)) if kept else 0), 0) // _MIB)
    return min(left) if left else None


def allowed_processors(root: Path = _ROOT) -> float | None:
    """Return the processors' worth of time that the groups allow, 1.5 for one and a half; None without a limit."""
    shares = []
    for folder in group_folders("cpu", root):
        old = "{} {}".format(read_text(folder / "cpu.cfs_quota_us"), read_text(folder / "cpu.cfs_period_us"))
        for text in (read_text(folder / "cpu.max"), old):
            found = re.fullmatch(r"\s*(\d{1,15})\s+(\d{1,15})\s*", text)
            if found is not None and int(found.group(1)) and int(found.group(2)):
                shares.append(int(found.group(1)) / int(found.group(2)))
    return min(shares) if shares else None


def most_processes(root: Path = _ROOT) -> int | None:
    """Return how many processes and threads the groups allow in all; None without a limit."""
    limits = [_number(folder / "pids.max") for folder in group_folders("pids", root)]
    return min((limit for limit in limits if limit is not None), default=None)


def group_folders(controller: str, root: Path = _ROOT) -> list[Path]:
    """Return the folders of the process's own group and of each above it, for this controller."""
    folders = []
    lines = read_text(root / "proc/self/cgroup").splitlines()[:_MAX_GROUPS]
    for line in [*lines, f"0:{controller}:/", "0::/"]:
        found = _LINE.fullmatch(line)
        if found is None or (found.group(1) and controller not in found.group(1).split(",")):
            continue
        base = root / "sys/fs/cgroup" / (controller if found.group(1) else "")
        parts = [part for part in found.group(2).split("/") if part not in ("", "..")][:_MAX_DEPTH]
        folders += [base.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]
    return list(dict.fromkeys(folders))


def _number(path: Path) -> int | None:
    text = read_text(path).strip()
    return int(text) if re.fullmatch(r"\d{1,19}", text, re.ASCII) else None
