"""How much memory a process holds, how much is free, and how much a check may take."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from torchdoctor.probe.control_groups import memory_left_mib

__all__ = ["free_memory_mib", "memory_limit", "resident_mib"]

_KIB_PER_MIB = 1024
# Beyond this share of the free memory the system would begin to push other programs out.
SHARE_OF_FREE = 0.8
# A CUDA build with several GPUs takes some GiB of the host's memory, so a smaller limit would stop healthy checks.
_MIN_LIMIT_MIB = 4096
# Of a system that says only how much memory there is, this share is taken for free.
_SHARE_OF_TOTAL = 0.5


def resident_mib(pid: int) -> int | None:
    """Return the memory that this process holds, in MiB; None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        status = Path("/proc", str(pid), "status").read_text("ascii", "replace")
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


def free_memory_mib(root: Path = Path("/")) -> int | None:
    """Return what more processes may take, in MiB, within the limits of control groups; None where it is unknown."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration, AttributeError):
        if sys.platform == "win32":
            from torchdoctor.core.system.windows_memory import windows_memory

            memory = windows_memory()
            return memory.free_mib if memory is not None else None
        if not sys.platform.startswith("linux"):
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            return int(total * _SHARE_OF_TOTAL) // _KIB_PER_MIB**2
        lines = (root / "proc/meminfo").read_text("ascii").splitlines()
        free = next(
            int(line.split()[1]) // _KIB_PER_MIB for line in lines if line.startswith("MemAvailable:")
        )
        allowed = memory_left_mib(root)
        return free if allowed is None else min(free, allowed)
    return None
