"""The benchmark cases. Each says what its work is, tries it small, then times it."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any, Callable

from ..devices import kind
from ..step import Outcome, measured, skipped
from .timing import Timed, seconds_of, timed

__all__ = ["autograd", "conv", "matmul", "matmul_bf16"]

# Long enough for 10 products of n = 2048 at 100 GFLOP/s, short enough that the whole takes seconds.
_SECONDS = 2.0
# A call that would take longer is made smaller: some dtypes run a thousand times slower in software. At n = 2048
# this is 4 GFLOP/s, which one core of ten years ago exceeds.
_LONGEST_CALL = 4.0


def matmul(torch: Any, device: str) -> Outcome:
    """Multiply square float32 matrices: 2 n^3 operations."""
    return _matmul(torch, device, torch.float32, 2048 if kind(device) == "cpu" else 4096)


def matmul_bf16(torch: Any, device: str) -> Outcome:
    """Multiply square bfloat16 matrices, the dtype that accelerators are built for."""
    if kind(device) == "cpu":
        return skipped("measured on accelerators only")
    outcome = _matmul(torch, device, torch.bfloat16, 8192)
    outcome.figures["id"] = "matmul"  # in a report the dtype tells it apart
    return outcome


def _matmul(torch: Any, device: str, dtype: Any, n: int) -> Outcome:
    def product(size: int) -> Callable[[], object]:
        # Random: zeros draw less power and so run faster. The result's place is given, so allocation is not timed.
        left, right = (_random(torch, (size, size), device, dtype) for _ in range(2))
        result = torch.empty_like(left)
        return lambda: torch.mm(left, right, out=result)

    fitting = _affordable(torch, product, n, device)
    took = timed(torch, product(fitting), device, seconds=_SECONDS)
    note = None if fitting == n else f"n = {n} would take more than {_LONGEST_CALL:.0f} s a call"
    return _rate(dtype, {"n": fitting}, took, 2 * fitting**3, note)


def _affordable(torch: Any, product: Callable[[int], Callable[[], object]], n: int, device: str) -> int:
    """The largest size up to n of which a call is expected to stay below the limit, tried from 256 up."""
    size = 256
    while size < n and seconds_of(torch, product(size), device) * 8 <= _LONGEST_CALL:
        size *= 2
    return size


def conv(torch: Any, device: str) -> Outcome:
    """Convolve 16 images of 64 channels, 56x56, to 64 by 3x3, forward and backward.

    Each of the two gradients is as much work as the forward pass.
    """
    images, channels, side = 16, 64, 56
    flop = 3 * 2 * images * channels * channels * 9 * side * side
    params = {"batch": images, "channels": channels, "size": side, "kernel": 3}

    def step(batch: int) -> Callable[[], object]:
        x = _random(torch, (batch, channels, side, side), device, torch.float32).requires_grad_()
        w = _random(torch, (channels, channels, 3, 3), device, torch.float32).requires_grad_()
        upstream = _random(torch, (batch, channels, side, side), device, torch.float32)

        def work() -> object:
            y = torch.nn.functional.conv2d(x, w, padding=1)
            return torch.autograd.grad(y, (x, w), upstream)

        return work

    if seconds_of(torch, step(1), device) * images > _LONGEST_CALL:
        flop, params, note = flop // images, dict(params, batch=1), f"a batch of {images} would take too long"
    else:
        note = None
    took = timed(torch, step(params["batch"]), device, seconds=_SECONDS)
    outcome = _rate(torch.float32, params, took, flop, note)
    outcome.figures["images_per_s"] = round(params["batch"] / took.median_s, 3)
    return outcome


def autograd(torch: Any, device: str) -> Outcome:
    """Square, sum and go back through a graph of eight numbers: all overhead, no arithmetic."""
    x = _random(torch, (8,), device, torch.float32).requires_grad_()

    def work() -> None:
        x.grad = None
        (x * x).sum().backward()

    took = timed(torch, work, device, seconds=_SECONDS / 2, parallel=False)
    value = took.median_s * 1e6
    figures = _figures(torch.float32, {"elements": 8}, took, value, "us", None)
    figures["best_value"] = _short(took.best_s * 1e6)
    return measured(f"{value:.1f} us a pass", figures)


def _random(torch: Any, shape: tuple[int, ...], device: str, dtype: Any) -> Any:
    return torch.randn(shape, device=device, dtype=dtype)


def _rate(dtype: Any, params: dict[str, int], took: Timed, flop: int, note: str | None) -> Outcome:
    value = flop / took.median_s / 1e9
    figures = _figures(dtype, params, took, value, "GFLOP/s", note)
    figures["best_value"] = _short(flop / took.best_s / 1e9)
    return measured(f"{value:.1f} GFLOP/s", figures)


def _figures(
    dtype: Any, params: dict[str, int], took: Timed, value: float, unit: str, note: str | None
) -> dict[str, Any]:
    return {
        "dtype": str(dtype).partition(".")[2],
        "params": params,
        "value": _short(value),
        "unit": unit,
        "median_s": took.median_s,
        "iqr_s": took.iqr_s,
        "best_s": took.best_s,
        "repeats": took.repeats,
        "cpu_share": took.cpu_share,
        "note": "; ".join(text for text in (note, took.note) if text) or None,
    }


def _short(value: float) -> float:
    # Five figures: a timer does not know more.
    return float(f"{value:.5g}")
