"""Times work with torch.utils.benchmark, within a budget, and says how much of the CPU it got meanwhile."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import time
from typing import Any, Callable, NamedTuple

from ..devices import kind, waiter

__all__ = ["Timed", "seconds_of", "timed"]

# A clean run gets 0.97 to 1.00 of its threads' time; below 0.9 the figure says more about the neighbours.
BUSY = 0.9


class Timed(NamedTuple):
    """Seconds a call: the median, the spread between the quartiles, the best; how many; the CPU's share."""

    median_s: float
    iqr_s: float
    best_s: float
    repeats: int
    cpu_share: float | None

    @property
    def note(self) -> str | None:
        """What to know before trusting the figure."""
        if self.cpu_share is not None and self.cpu_share < BUSY:
            return f"machine busy: got {self.cpu_share:.0%} of the CPU time it asked for"
        return None


def seconds_of(torch: Any, work: Callable[[], object], device: str) -> float:
    """What a call costs, roughly: the better of two after a first that sets things up."""
    wait = waiter(torch, device)
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        wait()
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def timed(
    torch: Any, work: Callable[[], object], device: str, *, seconds: float, parallel: bool = True
) -> Timed:
    """Time the work for about so many seconds. `parallel` says whether it is meant to use every thread."""
    from torch.utils.benchmark import Timer

    wait = waiter(torch, device)

    def clock() -> float:
        # Our own, since Timer's waits for no XPU or MPS before torch 2.6.
        wait()
        return time.perf_counter()

    # Timer takes one thread unless told otherwise.
    threads = torch.get_num_threads()
    timer = Timer("work()", globals={"work": work}, timer=clock, num_threads=threads)
    work()
    wait()
    used, began = time.process_time(), time.perf_counter()
    measurement = timer.blocked_autorange(min_run_time=seconds)
    used, wall = time.process_time() - used, time.perf_counter() - began
    asked = wall * (threads if parallel else 1)
    return Timed(
        median_s=measurement.median,
        iqr_s=measurement.iqr,
        best_s=min(measurement.times),
        repeats=len(measurement.times),
        cpu_share=min(round(used / asked, 3), 1.0) if kind(device) == "cpu" else None,
    )
