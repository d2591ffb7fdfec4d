"""The machine that torchdoctor runs on: its commands, files and uv, each through one object that tests replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.system.host import Completed, World, real_world

__all__ = ["Completed", "World", "real_world"]

__getattr__ = lazy_names(
    __name__,
    {
        "host": (
            "Completed",
            "World",
            "real_world",
        ),
    },
)
