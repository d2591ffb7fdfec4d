"""The computer that torchdoctor runs on: its commands, files and uv, each through one object that tests replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.system.host import HostSystem, host_system
    from torchdoctor.core.system.model import Completed, System
    from torchdoctor.core.system.uv import UvResult, UvStopped, run_uv

__all__ = ["Completed", "HostSystem", "System", "UvResult", "UvStopped", "host_system", "run_uv"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "host": ("HostSystem", "host_system"),
            "model": ("Completed", "System"),
            "uv": ("UvResult", "UvStopped", "run_uv"),
        },
    )
