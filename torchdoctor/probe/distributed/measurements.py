"""What the ranks measure together: collectives by size, the links between them, and what each computes."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Callable

from ..bench.cpu_share import CpuShareMeter
from .collectives import MIB, collectives, compute, pairs, send

if TYPE_CHECKING:
    from .collectives import Ring
    from .rendezvous import Rendezvous

__all__ = ["Measurements"]

# Bytes by backend, for the quick run and the full one.
_SIZES_BYTES = {
    ("gloo", True): (64 << 10, MIB, 16 * MIB),
    ("gloo", False): (8 << 10, 64 << 10, MIB, 16 * MIB, 128 * MIB),
    ("nccl", True): (MIB, 64 * MIB, 512 * MIB),
    ("nccl", False): (64 << 10, MIB, 16 * MIB, 128 * MIB, 1024 * MIB),
}
_LINK_BYTES = {"gloo": 16 * MIB, "nccl": 256 * MIB}
_QUICK_SECONDS, _FULL_SECONDS = 0.15, 0.5
_LINK_REPEATS = 5


class Measurements:
    """One rank's part. `start_stage(name, data)` waits for all ranks, `report(event, ...)` sends an event once."""

    def __init__(
        self,
        ring: Ring,
        rendezvous: Rendezvous,
        backend: str,
        *,
        quick: bool,
        start_stage: Callable[..., None],
        report: Callable[..., None],
    ) -> None:
        self._ring, self._rendezvous, self._backend, self._quick = ring, rendezvous, backend, quick
        self._start_stage, self._report = start_stage, report

    def measure(self) -> None:
        """Measure everything, in the same order on every rank."""
        for size in _SIZES_BYTES[self._backend, self._quick]:
            for name, factor, call in collectives(self._ring, size):
                self._measure_collective(name, size, factor, call)
        self._measure_links()
        self._start_stage("the product")
        rate = compute(self._ring)
        self._start_stage("after the product", rate)
        self._report("compute", gflops=self._rendezvous.data_of_all())

    def _measure_collective(self, name: str, size: int, factor: float, call: Callable[[], Any]) -> None:
        ring = self._ring
        stage = "%s of %d bytes" % (name, size)  # noqa: UP031
        self._start_stage(stage)
        meter = CpuShareMeter(ring.torch.get_num_threads())
        times = ring.times(call, _QUICK_SECONDS if self._quick else _FULL_SECONDS)
        self._start_stage("after " + stage, {"times": times, "share": meter.share()})
        ranks = self._rendezvous.data_of_all()
        # A collective is done when its last rank is.
        slowest = [max(calls) for calls in zip(*(rank["times"] for rank in ranks))]
        shares = [rank["share"] for rank in ranks if rank["share"] is not None and ring.device == "cpu"]
        middle = median(slowest)
        quarters = quantiles(slowest, n=4)
        self._report(
            "collective", name=name, bytes=size, median_s=middle, best_s=min(slowest),
            iqr_s=quarters[2] - quarters[0], repeats=len(slowest), algbw=size / middle / 1e9,
            busbw=size / middle / 1e9 * factor, cpu_share=min(shares, default=None),
        )  # fmt: skip

    def _measure_links(self) -> None:
        ring = self._ring
        data = ring.torch.rand(_LINK_BYTES[self._backend] // 4, device=ring.device)
        for source, goal in pairs(ring.size):
            stage = "the link from rank %d to rank %d" % (source, goal)  # noqa: UP031
            self._start_stage(stage)
            rate = send(ring, source, goal, data, _LINK_REPEATS) if ring.rank in (source, goal) else None
            self._start_stage("after " + stage, rate)
            rates = self._rendezvous.data_of_all()
            self._report("link", source=source, goal=goal, bytes=data.numel() * 4, busbw=rates[source] / 1e9)
