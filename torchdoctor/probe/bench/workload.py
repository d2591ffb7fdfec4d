"""What a case hands over to be timed: the call, and how much of what it does."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

__all__ = ["GB", "GFLOP", "SAMPLES", "US", "Workload", "dtype_name"]

GFLOP, GB, SAMPLES, US = "GFLOP/s", "GB/s", "samples/s", "us"


class Workload(NamedTuple):
    """One call of a case, ready to run.

    `amount` is what a call does of its unit: operations, bytes, samples; of "us", how often the thing measured
    happens in it. `flop` and `moved` (bytes read and written at the least) place it on a roofline. `threads` is
    None for all of them, 1 for one. `serial` says that more threads would not be used. `round_s` asks for rounds of
    that length, `wall` for the clock on the wall instead of the device's, where the host is what is measured.
    """

    call: Callable[[], object]
    dtype: str
    params: dict[str, Any]
    amount: float
    unit: str
    id: str | None = None
    flop: float | None = None
    moved: float | None = None
    threads: int | None = None
    serial: bool = False
    wall: bool = False
    round_s: float | None = None
    note: str | None = None

    def value(self, seconds: float) -> float:
        """The figure for a call of so many seconds."""
        if self.unit == US:
            return seconds / self.amount * 1e6
        return self.amount / seconds / (1.0 if self.unit == SAMPLES else 1e9)


def dtype_name(dtype: Any) -> str:
    """`float32` of `torch.float32`."""
    return str(dtype).partition(".")[2]
