"""Processes that outlive the one that started them: found by a variable that they inherited. On Linux only."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

__all__ = ["kill_processes_with_variable"]

_PROC = Path("/proc")


def kill_processes_with_variable(name: str, value: str) -> int:
    """Kill every process of this user whose environment has the variable with this value. Returns how many.

    A process that leaves its group and its parent, as a daemon does, keeps the variables that it was started with.
    """
    wanted = f"{name}={value}".encode()
    killed = 0
    with contextlib.suppress(OSError):
        for folder in _PROC.iterdir():
            if folder.name.isdecimal() and int(folder.name) != os.getpid():
                # Of another user, or gone by now.
                with contextlib.suppress(OSError):
                    if wanted in (folder / "environ").read_bytes().split(b"\0"):
                        os.kill(int(folder.name), signal.SIGKILL)
                        killed += 1
    return killed
