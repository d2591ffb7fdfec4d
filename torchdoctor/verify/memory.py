"""How much memory a process holds, how much is free, and how much a check may take."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["free_memory_mib", "memory_limit", "resident_mib"]

_KIB_PER_MIB = 1024
# Beyond this share of the free memory the system would begin to push other programs out.
SHARE_OF_FREE = 0.8
# A CUDA build with several GPUs takes some GiB of the host's memory, so a smaller limit would stop healthy checks.
_MIN_LIMIT_MIB = 4096
# Of a system that says only how much memory there is, this share is taken for free.
_SHARE_OF_TOTAL = 0.5
_PROC, _GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_MAX_GROUP_DEPTH = 32
_UNLIMITED_BYTES = 1 << 60


def resident_mib(pid: int) -> int | None:
    """Return the memory that this process holds, in MiB; None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        status = (_PROC / str(pid) / "status").read_text("ascii", "replace")
        return next(
            int(line.split()[1]) // _KIB_PER_MIB for line in status.splitlines() if line.startswith("VmRSS:")
        )
    return None


def memory_limit() -> int | None:
    """Return what a check may hold before it is stopped, in MiB; None where that cannot be measured."""
    if not sys.platform.startswith("linux"):
        return None
    free = free_memory_mib()
    return None if free is None else max(int(free * SHARE_OF_FREE), _MIN_LIMIT_MIB)


def free_memory_mib() -> int | None:
    """Return what more processes may take, in MiB, within the limits of control groups; None where it is unknown."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration, AttributeError):
        if sys.platform == "win32":
            from torchdoctor.core.system.windows_memory import windows_memory

            memory = windows_memory()
            return memory.free_mib if memory is not None else None
        if not sys.platform.startswith("linux"):
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            return int(total * _SHARE_OF_TOTAL) // _KIB_PER_MIB**2
        lines = (_PROC / "meminfo").read_text("ascii").splitlines()
        free = next(
            int(line.split()[1]) // _KIB_PER_MIB for line in lines if line.startswith("MemAvailable:")
        )
        return min((free, *_free_in_groups()))
    return None


def _free_in_groups() -> Iterator[int]:
    """What each control group that this process is in may still take, by the files of version 2 and of version 1."""
    for folder in _group_folders():
        for limit_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            with contextlib.suppress(OSError, ValueError):
                limit, used = (int((folder / name).read_text("ascii")) for name in (limit_file, used_file))
                if limit < _UNLIMITED_BYTES:
                    # The cache of files counts as used, and is given back when memory is needed.
                    yield max(limit - used + _statistic(folder, cache), 0) // _KIB_PER_MIB**2


def _statistic(folder: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        text = (folder / "memory.stat").read_text("ascii")
        return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE)[1])  # type: ignore[index]
    return 0


def _group_folders() -> Iterator[Path]:
    """The group's own folder and each above it: a container sees its own as the root, a service does not."""
    own = ""
    with contextlib.suppress(OSError):
        own = (_PROC / "self" / "cgroup").read_text("utf-8", "replace")
    for line in dict.fromkeys([*own.splitlines()[:64], "0:memory:/", "0::/"]):
        match = re.fullmatch(r"\d+:([\w,=]*):(/[^\x00]*)", line, re.ASCII)
        if match is None or (match[1] and "memory" not in match[1].split(",")):
            continue
        base = _GROUPS / "memory" if match[1] else _GROUPS
        parts = [part for part in match[2].split("/") if part not in ("", "..")][:_MAX_GROUP_DEPTH]
        for depth in range(len(parts), -1, -1):
            yield base.joinpath(*parts[:depth])
