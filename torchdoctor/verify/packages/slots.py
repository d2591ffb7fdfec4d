"""How many packages are imported side by side, and how much memory each may take."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["Slots", "plan_slots"]

# An import takes about what torch itself takes, and may compile, load models or start workers.
_TIMES_TORCH = 2
_MIN_MIB = 400
# Of a torch whose memory could not be measured: a CUDA build takes about that much.
_UNKNOWN_TORCH_MIB = 750
_MAX_SLOTS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Slots:
    """`count` packages at a time; one that takes more than `share_mib` is stopped and runs again alone."""

    count: int
    share_mib: int | None  # None where memory is not measured


def plan_slots(
    packages: int,
    *,
    free_mib: int | None,
    torch_mib: int | None,
    limit_mib: int | None = None,
    cores: int | None = None,
) -> Slots:
    """Return how many of `packages` fit side by side: no more than there are cores, and than the free memory holds.

    `torch_mib` is what a process takes that imports torch, `limit_mib` what one process may take when it is alone.
    """
    cores = cores or usable_cores()
    each = max(_TIMES_TORCH * (torch_mib or _UNKNOWN_TORCH_MIB), _MIN_MIB)
    room = cores if free_mib is None else max(free_mib // each, 1)
    count = max(min(packages, cores, room, _MAX_SLOTS), 1)
    if free_mib is None or limit_mib is None:
        return Slots(count=count, share_mib=limit_mib)
    share = limit_mib if count == 1 else min(max(free_mib // count, each), limit_mib)
    return Slots(count=count, share_mib=share)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
