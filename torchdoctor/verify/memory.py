"""How much memory a process holds and how much it may take. Known on Linux only."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["memory_limit", "resident_mib"]

_KIB_PER_MIB = 1024
# Beyond this share of the free memory the system would begin to push other programs out.
_SHARE_OF_FREE = 0.8
# A CUDA build with several GPUs takes some GiB of the host's memory, so a smaller limit would stop healthy checks.
_MIN_LIMIT_MIB = 4096


def resident_mib(pid: int) -> int | None:
    """Return the memory that this process holds, in MiB; None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        return next(
            int(line.split()[1]) // _KIB_PER_MIB for line in status.splitlines() if line.startswith("VmRSS:")
        )
    return None


def memory_limit() -> int | None:
    """Return what a check may hold before it is stopped, in MiB; None where the system does not say what is free."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(
            int(line.split()[1]) // _KIB_PER_MIB for line in lines if line.startswith("MemAvailable:")
        )
        return max(int(min(free, _container_free_mib(free)) * _SHARE_OF_FREE), _MIN_LIMIT_MIB)
    return None


def _container_free_mib(default: int) -> int:
    """Return what the container (cgroup version 2) may still take; `default` where it has no limit."""
    with contextlib.suppress(OSError, ValueError):
        limit, used = (
            Path(f"/sys/fs/cgroup/memory.{name}").read_text("ascii") for name in ("max", "current")
        )
        return (int(limit) - int(used)) // _KIB_PER_MIB**2
    return default
