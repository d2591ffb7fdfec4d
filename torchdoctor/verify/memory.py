"""How much memory a process holds, and how much one may have: Linux says both, elsewhere neither is known."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["most_memory", "resident_mib"]

_KIB_PER_MIB = 1024
# Beyond, the system would begin to push other programs out.
_SHARE = 0.8
# A CUDA build with several GPUs takes some GiB of the host's memory; less than this is no limit worth setting.
_LEAST_MIB = 4096


def resident_mib(pid: int) -> int | None:
    """The memory that this process holds, in MiB."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        return next(
            int(line.split()[1]) // _KIB_PER_MIB for line in status.splitlines() if line.startswith("VmRSS:")
        )
    return None


def most_memory() -> int | None:
    """What a check may hold before it is stopped, in MiB: most of what is free now."""
    with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
        rows = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(row.split()[1]) // _KIB_PER_MIB for row in rows if row.startswith("MemAvailable:"))
        return max(int(min(free, _container_mib(free)) * _SHARE), _LEAST_MIB)
    return None


def _container_mib(otherwise: int) -> int:
    """What the container (cgroup version 2) may still take; it says `max` where there is no limit."""
    with contextlib.suppress(OSError, ValueError):
        most, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text("ascii") for name in ("max", "current"))
        return (int(most) - int(used)) // _KIB_PER_MIB**2
    return otherwise
