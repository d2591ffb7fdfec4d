"""How much memory another process holds now."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["resident_bytes"]

_PS_SECONDS = 5.0


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process in bytes; None for one that has ended, and where it cannot be asked."""
    if sys.platform == "linux":
        return _linux(pid)
    if sys.platform == "win32":
        return _windows(pid)
    return _posix(pid)


def _linux(pid: int) -> int | None:
    """https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html: the second figure, in pages."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _posix(pid: int) -> int | None:
    try:
        answer = subprocess.run(
            ["/bin/ps", "-o", "rss=", "-p", str(pid)],
            check=False,
            capture_output=True,
            timeout=_PS_SECONDS,
        )
        return int(answer.stdout) * 1024
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _windows(pid: int) -> int | None:
    """https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getprocessmemoryinfo."""
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_uint32),
            ("page_faults", ctypes.c_uint32),
            ("peak_working_set", ctypes.c_size_t),
            ("working_set", ctypes.c_size_t),
            ("others", ctypes.c_size_t * 6),
        )

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  (it is there on Windows alone)
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x1000, 0, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    counters = Counters(size=ctypes.sizeof(Counters))
    done = kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(handle), ctypes.byref(counters), counters.size)
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return int(counters.working_set) if done else None
