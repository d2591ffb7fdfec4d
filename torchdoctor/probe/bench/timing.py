"""Times one round of a workload: on the CPU with torch.utils.benchmark, on a GPU with events on its stream."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from ..devices import kind, waiter
from .cpu_share import CpuShareMeter

if TYPE_CHECKING:
    from .workload import Workload

__all__ = ["Round", "one_round", "seconds_of"]

# More pairs of events do not make a better sample, and cost memory.
_MAX_EVENTS = 2000
# Larger than every second-level cache there is in 2026 (126 MB); written before each call whose data would fit.
_FLUSH_BYTES = 256 << 20
_buffers: dict[str, Any] = {}


class Round(NamedTuple):
    """Seconds per call, one figure for each block or call timed, and the share of CPU time (None on other devices)."""

    times: list[float]
    cpu_share: float | None


def seconds_of(torch: Any, call: Callable[[], object], device: str) -> float:
    """Return roughly what a call takes: the better of two after a warm-up call, or the warm-up if it took over 1 s."""
    wait = waiter(torch, device)
    taken: list[float] = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        wait()
        taken.append(time.perf_counter() - start)
        if taken[0] > 1.0:
            break
    return min(taken[1:] or taken)


def one_round(torch: Any, work: Workload, device: str, seconds: float) -> Round:
    """Time the workload for about this many seconds, at least one call."""
    if not work.wall and kind(device) in ("cuda", "xpu"):
        return Round(_queued(torch, work, device, seconds), None)
    return _timed(torch, work, device, seconds)


def _timed(torch: Any, work: Workload, device: str, seconds: float) -> Round:
    from torch.utils.benchmark import Timer

    wait = waiter(torch, device)

    def clock() -> float:
        # Our own, since Timer's does not wait for XPU or MPS before torch 2.6.
        wait()
        return time.perf_counter()

    # Timer's default is one thread.
    threads = work.threads or torch.get_num_threads()
    timer = Timer("work()", globals={"work": work.call}, timer=clock, num_threads=threads)
    meter = CpuShareMeter(1 if work.serial else threads)
    measurement = timer.blocked_autorange(min_run_time=seconds)
    return Round(
        [float(taken) for taken in measurement.times], meter.share() if kind(device) == "cpu" else None
    )


def _queued(torch: Any, work: Workload, device: str, seconds: float) -> list[float]:
    """Queue all calls with events around each, and wait once: no launch and no wait is timed."""
    module = getattr(torch, kind(device))
    count = int(seconds / max(seconds_of(torch, work.call, device), 1e-6))
    flush = _flush(torch, device) if work.moved is not None and work.moved < _FLUSH_BYTES else None
    pairs = []
    for _ in range(max(3, min(count, _MAX_EVENTS))):
        start, end = (module.Event(enable_timing=True) for _ in range(2))
        if flush is not None:
            flush()
        start.record()
        work.call()
        end.record()
        pairs.append((start, end))
    module.synchronize(device)
    return [start.elapsed_time(end) / 1e3 for start, end in pairs]


def _flush(torch: Any, device: str) -> Callable[[], object]:
    if device not in _buffers:
        _buffers[device] = torch.empty(_FLUSH_BYTES, dtype=torch.int8, device=device)
    flush: Callable[[], object] = _buffers[device].zero_
    return flush
