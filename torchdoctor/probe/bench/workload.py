"""What a case returns to be timed: a call, and how much work it is."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

__all__ = ["GB", "GFLOP", "SAMPLES", "US", "Workload", "dtype_name"]

GFLOP, GB, SAMPLES, US = "GFLOP/s", "GB/s", "samples/s", "us"


class Workload(NamedTuple):
    """One call of a case, ready to run.

    `amount` is what a call does in its `unit`: operations, bytes, samples; for "us", how often the measured thing
    happens in it. `flop` and `moved` (the least bytes read and written) place it on a roofline. `threads` is None for
    all of them, 1 for one. `serial` says that more threads would not be used. `round_s` asks for rounds of that length.
    `wall` asks for the host's clock instead of the device's, where the host is measured.
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
        """Return the figure for a call that takes this long."""
        if self.unit == US:
            return seconds / self.amount * 1e6
        return self.amount / seconds / (1.0 if self.unit == SAMPLES else 1e9)


def dtype_name(dtype: Any) -> str:
    """Return `float32` for `torch.float32`."""
    return str(dtype).partition(".")[2]
