"""The machine that torchdoctor runs on: its commands, files and uv, each through one object that tests replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.system.host import Completed, System, host_system

__all__ = ["Completed", "System", "host_system"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "host": (
                "Completed",
                "System",
                "host_system",
            ),
        },
    )
