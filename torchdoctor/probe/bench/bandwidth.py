"""Bandwidth: the memory of the host and of the device, and copies between them."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..devices import kind
from ..message import sentence
from ..step import Outcome, skipped
from .workload import GB, Workload

__all__ = ["host_device", "memory"]

_MIB = 1 << 20
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# Touching the pages of larger arrays for the first time would take longer than the measurement.
_MAX_CPU_BYTES, _GPU_BYTES = 256 * _MIB, 512 * _MIB
# The cases take turns, so they can share the arrays that they read and write.
_arrays_by_size: dict[tuple[str, int], list[Any]] = {}


def memory(what: str, torch: Any, device: str, *, threads: int | None = None) -> Workload | Outcome:
    """Copy (read, write) or triad (a + 3 b into a third array: two reads, one write), far beyond the caches."""
    on_cpu = kind(device) == "cpu"
    if threads and not on_cpu:
        return skipped("cpu-only", sentence("threads are the CPU's"))
    cache = _last_cache_bytes() if on_cpu else 128 * _MIB
    size = _size(cache, on_cpu)
    arrays = _arrays(torch, device, size, 2 if what == "copy" else 3)
    if what == "copy":
        call, moved = (lambda: arrays[0].copy_(arrays[1])), 2.0 * size
    else:
        call, moved = (lambda: torch.add(arrays[1], arrays[2], alpha=3.0, out=arrays[0])), 3.0 * size
    params: dict[str, Any] = {"mib": size // _MIB}
    note = None
    if cache and size * len(arrays) < 4 * cache:
        note = sentence("the last cache has {size} MiB, so part of this may be its speed", size=cache // _MIB)
    return Workload(
        call,
        "float32",
        dict(params, threads=threads) if threads else params,
        moved,
        GB,
        id="memory-%s%s" % (what, "-one-thread" if threads else ""),  # noqa: UP031
        moved=moved,
        flop=size / 2 if what == "triad" else None,
        threads=threads,
        note=note,
    )


def host_device(to_device: bool, pinned: bool, torch: Any, device: str) -> Workload | Outcome:
    """Copy 256 MiB between host and device; pinned memory is what the copy engine can read by itself."""
    if kind(device) not in ("cuda", "xpu"):
        return skipped("no-device-memory", sentence("there is no copy between two memories to measure"))
    size = 256 * _MIB
    host = torch.rand(size // 4)
    host = host.pin_memory() if pinned else host
    on_device = torch.rand(size // 4, device=device)
    goal, source = (on_device, host) if to_device else (host, on_device)

    def call() -> object:
        return goal.copy_(source, non_blocking=pinned)

    name = "host-to-device" if to_device else "device-to-host"
    params = {"mib": size // _MIB, "pinned": pinned}
    # The host does pageable copies in pieces: only its own clock shows how long they take.
    return Workload(call, "float32", params, float(size), GB, id=name, moved=2.0 * size, wall=not pinned)


def _arrays(torch: Any, device: str, size: int, count: int) -> list[Any]:
    """Return arrays that were written to: fresh pages cost more than the copy, and all zeros may share one page."""
    arrays = _arrays_by_size.setdefault((device, size), [])
    while len(arrays) < count:
        array = torch.empty(size // 4, device=device)
        array.view(-1, _MIB // 4).copy_(torch.rand(_MIB // 4, device=device))
        arrays.append(array)
    return arrays[:count]


def _size(cache: int, on_cpu: bool) -> int:
    if not on_cpu:
        return _GPU_BYTES
    free = _free_bytes()
    return max(min(max(2 * cache, 128 * _MIB), _MAX_CPU_BYTES, free // 12), 16 * _MIB) // _MIB * _MIB


def _free_bytes() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 4 << 30


def _last_cache_bytes() -> int:
    """Return the size of the last cache of the first core; 0 where the system does not say."""
    largest = 0
    for index in range(5):
        try:
            text = (_CACHES / ("index%d" % index) / "size").read_text("ascii").strip()  # noqa: UP031
            unit = {"K": 1 << 10, "M": 1 << 20}[text[-1]]
            largest = max(largest, int(text[:-1]) * unit)
        except (OSError, ValueError, KeyError, IndexError):
            continue
    return largest
