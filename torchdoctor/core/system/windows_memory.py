"""Memory of a Windows computer, asked without the second that PowerShell takes to start."""

from __future__ import annotations

import ctypes

from torchdoctor.core.system.model import Space

__all__ = ["MemoryStatus", "windows_memory"]


class MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX: https://learn.microsoft.com/windows/win32/api/sysinfoapi/ns-sysinfoapi-memorystatusex."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("available", ctypes.c_uint64),
        ("page_file", ctypes.c_uint64),
        ("page_file_available", ctypes.c_uint64),
        ("virtual", ctypes.c_uint64),
        ("virtual_available", ctypes.c_uint64),
        ("virtual_extended", ctypes.c_uint64),
    )


def windows_memory() -> Space | None:
    """Memory in MiB; None when the call fails."""
    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    # windll is there on Windows alone.
    if not getattr(ctypes, "windll").kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # noqa: B009
        return None
    return Space(total_mib=status.total >> 20, free_mib=status.available >> 20)
