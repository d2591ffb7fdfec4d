"""Every case, in the order in which figures are reported. A new case is one row here."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Callable

from ..step import Outcome, Step
from . import bandwidth, layers, matmul, training

if TYPE_CHECKING:
    from .workload import Workload

__all__ = ["BENCH", "QUICK"]

Prepare = Callable[[Any, str], "Workload | Outcome"]


def _step(name: str, proves: str, prepare: Prepare) -> Step:
    # `run` returns a workload that is timed later, in rounds, where the steps of verify return an outcome.
    return Step(name, proves, prepare, "best", 120.0)  # type: ignore[arg-type]


def _products() -> list[Step]:
    steps = []
    for dtype in ("float8_e4m3fn", "int8", "float16", "bfloat16", "tf32", "float64", "float32"):
        for size in ("tiny", "small", "middle", "large", "main"):
            # All sizes are for the dtypes that people train with.
            if size in ("small", "main") or dtype in ("bfloat16", "float32"):
                name = dtype.replace("_e4m3fn", "") + ("" if size == "main" else "-" + size)
                steps.append(
                    _step(
                        "matmul-" + name, "matrix products in " + dtype, partial(matmul.matmul, dtype, size)
                    )
                )
    return steps


def _one_thread(dtype: str) -> Step:
    # Small, so that a call is shorter than a turn of the system's scheduler: then most calls are undisturbed, and the
    # figure is the same on a busy machine.
    prepare = partial(matmul.matmul, dtype, "small", threads=1)
    return _step("matmul-one-thread-" + dtype, "matrix products in " + dtype + " on one thread", prepare)


BENCH = (
    *_products(),
    _one_thread("float32"),
    _one_thread("bfloat16"),
    _step("autograd", "the overhead of a forward and a backward pass", layers.autograd),
    _step("conv", "a 3x3 convolution, forward and backward", partial(layers.conv, False)),
    _step("conv-channels-last", "the same with the channels last", partial(layers.conv, True)),
    _step("attention", "scaled dot product attention", layers.attention),
    _step("cnn-training", "a training step of a small CNN", training.cnn),
    _step(
        "transformer-training", "a training step of a small transformer", partial(training.transformer, False)
    ),
    _step("transformer-training-mixed", "the same in mixed precision", partial(training.transformer, True)),
    _step("dataloader", "batches from worker processes", training.loader),
    _step("memory-copy", "bandwidth of a copy", partial(bandwidth.memory, "copy")),
    _step("memory-triad", "bandwidth of a + 3 b", partial(bandwidth.memory, "triad")),
    _step("memory-copy-one-thread", "the same on one thread", partial(bandwidth.memory, "copy", threads=1)),
    _step(
        "host-to-device-pinned", "copies to the device, pinned", partial(bandwidth.host_device, True, True)
    ),
    _step("host-to-device", "copies to the device, pageable", partial(bandwidth.host_device, True, False)),
    _step(
        "device-to-host-pinned", "copies from the device, pinned", partial(bandwidth.host_device, False, True)
    ),
    _step("device-to-host", "copies from the device, pageable", partial(bandwidth.host_device, False, False)),
    _step("launch", "the cost of starting an operation", layers.launch),
    _step("launch-and-wait", "the same, and waiting for it", layers.round_trip),
)

# The quick run leaves out sizes in between, rare dtypes, and cases that another one nearly covers.
QUICK = tuple(
    step.id
    for step in BENCH
    if not step.id.endswith(("-tiny", "-middle", "-large", "-float64", "-float64-small", "-float16-small"))
    and step.id not in ("matmul-float8-small", "matmul-int8-small", "memory-triad", "device-to-host")
)
