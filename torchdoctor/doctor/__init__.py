"""The check of a live machine: everything looked at once, judged by the same rules as a pasted report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.doctor.inspection import Looking, look
    from torchdoctor.doctor.model import Reach, Seen

__all__ = ["Looking", "Reach", "Seen", "look"]

__getattr__ = lazy_names(
    __name__,
    {
        "inspection": (
            "Looking",
            "look",
        ),
        "model": (
            "Reach",
            "Seen",
        ),
    },
)
