"""The collectives, their bus bandwidth, the links between each two ranks, and what each rank computes in a second.

Bus bandwidth is as nccl-tests defines it, so that figures can be compared with its own and with the hardware's:
https://github.com/NVIDIA/nccl-tests/blob/master/doc/PERFORMANCE.md.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any, Callable, Iterator

__all__ = ["Ring", "collectives", "compute", "pairs", "send"]

MIB = 1 << 20
_MAX_RANKS_PAIRED = 8


class Ring:
    """The process group as this rank sees it: torch, its device, its number and the number of ranks."""

    def __init__(self, torch: Any, device: str, rank: int, size: int) -> None:
        self.torch, self.device, self.rank, self.size = torch, device, rank, size
        self.dist = torch.distributed

    def wait(self) -> None:
        """Wait until the device has finished its work."""
        if self.device.startswith("cuda"):
            self.torch.cuda.synchronize(self.device)

    def times(self, call: Callable[[], object], seconds: float) -> list[float]:
        """Return the seconds of each call, after two to warm up: 5 to 50, as the slowest rank has time for."""
        self._timed(call)
        shared = self.torch.tensor([max(self._timed(call), 1e-6)], device=self.device)
        self.dist.all_reduce(shared, op=self.dist.ReduceOp.MAX)
        count = int(min(max(seconds / float(shared.item()), 5), 50))
        return [self._timed(call) for _ in range(count)]

    def _timed(self, call: Callable[[], object]) -> float:
        self.wait()
        start = time.perf_counter()
        call()
        self.wait()
        return time.perf_counter() - start


def collectives(ring: Ring, size: int) -> Iterator[tuple[str, float, Callable[[], object]]]:
    """Yield each collective on `size` bytes: name, factor from algorithm to bus bandwidth, and the call."""
    n, count = ring.size, size // 4
    # Summed in place again and again, random numbers would overflow; zeros would hide a wrong sum.
    data = ring.torch.rand(count, device=ring.device)
    yield "all-reduce", 2 * (n - 1) / n, lambda: ring.dist.all_reduce(data, op=ring.dist.ReduceOp.MAX)
    parts = list(ring.torch.empty(count // n * n, device=ring.device).chunk(n))
    part = ring.torch.rand(count // n, device=ring.device)
    yield "all-gather", (n - 1) / n, lambda: ring.dist.all_gather(parts, part)
    yield "broadcast", 1.0, lambda: ring.dist.broadcast(data, src=0)


def pairs(size: int) -> list[tuple[int, int]]:
    """Return the links to measure: every rank to every other one; of many ranks, each to its neighbours in the ring."""
    if size <= _MAX_RANKS_PAIRED:
        return [(one, other) for one in range(size) for other in range(size) if one != other]
    around = [(one, (one + 1) % size) for one in range(size)]
    return around + [(other, one) for one, other in around]


def send(ring: Ring, source: int, goal: int, data: Any, times: int) -> float | None:
    """Return the bytes per second from one rank to another on the sender, which waits for an answer; None elsewhere."""
    answer = ring.torch.zeros(1, device=ring.device)
    taken = []
    for _ in range(times + 1):
        ring.wait()
        start = time.perf_counter()
        if ring.rank == source:
            ring.dist.send(data, goal)
            ring.dist.recv(answer, goal)
        else:
            ring.dist.recv(data, source)
            ring.dist.send(answer, source)
        ring.wait()
        taken.append(time.perf_counter() - start)
    return data.numel() * data.element_size() / median(taken[1:]) if ring.rank == source else None


def compute(ring: Ring) -> float:
    """Return the GFLOP/s of a matrix product on this rank while all ranks compute: a slow rank is slow in every try."""
    on_gpu = ring.device.startswith("cuda")
    n, dtype = (4096, ring.torch.bfloat16) if on_gpu else (512, ring.torch.float32)
    left, right = (ring.torch.randn((n, n), device=ring.device, dtype=dtype) for _ in range(2))
    taken = []
    for _ in range(12):
        ring.wait()
        start = time.perf_counter()
        ring.torch.mm(left, right)
        ring.wait()
        taken.append(time.perf_counter() - start)
    return 2.0 * n**3 / sorted(taken[2:])[2] / 1e9
