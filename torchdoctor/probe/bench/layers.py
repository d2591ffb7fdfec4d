"""Convolution, attention, and the overhead of autograd and of a launch."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..devices import kind, waiter
from ..message import sentence
from ..step import Outcome, skipped
from .timing import seconds_of
from .workload import GFLOP, US, Workload, dtype_name

__all__ = ["attention", "autograd", "conv", "launch", "round_trip"]

# Tens of times what a core of ten years ago needs: another program must not change the size of the work.
_MAX_CALL_SECONDS = 4.0
_LAUNCH_COUNT = 100


def conv(channels_last: bool, torch: Any, device: str) -> Workload:
    """Convolve images of 64 channels, 56x56, to 64 by 3x3, forward and backward.

    Each of the two gradients is as much work as the forward pass.
    """
    images, channels, side = (16 if kind(device) == "cpu" else 128), 64, 56
    order = torch.channels_last if channels_last else torch.contiguous_format

    def step(batch: int) -> Any:
        x = torch.randn((batch, channels, side, side), device=device).to(memory_format=order).requires_grad_()
        w = torch.randn((channels, channels, 3, 3), device=device).to(memory_format=order).requires_grad_()
        upstream = torch.randn((batch, channels, side, side), device=device).to(memory_format=order)

        def work() -> object:
            y = torch.nn.functional.conv2d(x, w, padding=1)
            return torch.autograd.grad(y, (x, w), upstream)

        return work

    slow = seconds_of(torch, step(1), device) * images > _MAX_CALL_SECONDS
    batch = 1 if slow else images
    flop = 3.0 * 2 * batch * channels * channels * 9 * side * side
    # Forward: image in, image out. Backward: the image, the upstream gradient twice, the image's gradient.
    moved = 6.0 * batch * channels * side * side * 4
    params = {"batch": batch, "channels": channels, "size": side, "kernel": 3}
    note = sentence("a batch of {count} would take too long", count=images) if slow else None
    name = "conv-channels-last" if channels_last else "conv"
    return Workload(step(batch), "float32", params, flop, GFLOP, id=name, flop=flop, moved=moved, note=note)


def attention(torch: Any, device: str) -> Workload:
    """Scaled dot product attention, forward: two products of 2 s^2 d operations a head."""
    if kind(device) == "cpu":
        dtype, batch, heads, tokens, width = torch.float32, 2, 8, 512, 64
    else:
        dtype, batch, heads, tokens, width = torch.float16, 8, 16, 2048, 64
    q, k, v = (torch.randn((batch, heads, tokens, width), device=device, dtype=dtype) for _ in range(3))
    flop = 4.0 * batch * heads * tokens * tokens * width
    params = {"batch": batch, "heads": heads, "tokens": tokens, "width": width}
    moved = 4.0 * q.numel() * q.element_size()

    def call() -> object:
        with torch.no_grad():
            return torch.nn.functional.scaled_dot_product_attention(q, k, v)

    return Workload(call, dtype_name(dtype), params, flop, GFLOP, flop=flop, moved=moved)


def autograd(torch: Any, device: str) -> Workload:
    """Square, sum and go back through a graph of eight numbers: all overhead, no arithmetic."""
    x = torch.randn((8,), device=device).requires_grad_()

    def call() -> None:
        x.grad = None
        (x * x).sum().backward()

    return Workload(call, "float32", {"elements": 8}, 1, US, threads=1, wall=True)


def launch(torch: Any, device: str) -> Workload:
    """Add eight numbers, a hundred times without waiting: what it costs to start an operation."""
    x, y = (torch.randn((8,), device=device) for _ in range(2))
    result = torch.empty_like(x)

    def call() -> None:
        for _ in range(_LAUNCH_COUNT):
            torch.add(x, y, out=result)

    return Workload(call, "float32", {"elements": 8}, _LAUNCH_COUNT, US, threads=1, wall=True)


def round_trip(torch: Any, device: str) -> Workload | Outcome:
    """Add eight numbers and wait for the device."""
    if kind(device) == "cpu":
        return skipped("no-launch-queue", sentence("on the CPU there is nothing to wait for"))
    x = torch.randn((8,), device=device)
    wait = waiter(torch, device)

    def call() -> None:
        x.add_(1.0)
        wait()

    return Workload(call, "float32", {"elements": 8}, 1, US, threads=1, wall=True)
