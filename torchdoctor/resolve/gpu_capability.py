"""The compute capability of a machine's NVIDIA GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheels_index import gpu

if TYPE_CHECKING:
    from torchdoctor.detect import NvidiaGpu

__all__ = ["capability_of"]


def capability_of(card: NvidiaGpu) -> tuple[int, int] | None:
    """Return the GPU's compute capability, by its name where it was not read; None where neither tells."""
    if card.compute_capability is None:
        known = gpu(card.name)
        return known.compute_capability if known else None
    major, _, minor = card.compute_capability.partition(".")
    return int(major), int(minor or 0)
