"""The checks and the cases, by name and in the order in which they run: one row is all it takes to add one."""

from __future__ import annotations

from .bench import cases
from .step import Step
from .verify import companions, learning, numbers, startup

__all__ = ["BENCH", "DEVICES", "IMPORT", "NO_TORCH", "SUITES", "VERIFY"]

NO_TORCH = "not run, because torch cannot be imported"

# Everything needs these two: every run of any suite begins with them.
# 180 s: the first import without bytecode from a cold network disk takes tens of seconds and is no failure.
IMPORT = Step("import", "torch can be imported", startup.import_torch, "once", 180.0)
# CUDA's first contact with a driver on a machine of many GPUs takes up to half a minute.
DEVICES = Step("devices", "torch sees the devices, and has kernels for them", startup.devices, "once", 120.0)

VERIFY = (
    IMPORT,
    DEVICES,
    Step("version", "the files are one version of torch", startup.version, "once"),
    Step("tensor", "arithmetic and matrix products are right", numbers.tensor),
    Step("autograd", "the gradient of x**2 is 2x", learning.autograd),
    Step("training", "a step of training lowers the loss", learning.training),
    Step("conv", "a convolution and its gradients are right", numbers.conv),
    Step("torchvision", "torchvision belongs to this torch", companions.torchvision, "each", 120.0),
    Step("torchaudio", "torchaudio belongs to this torch", companions.torchaudio, "once", 120.0),
)

BENCH = (
    Step("matmul", "matrix products in float32", cases.matmul, "best", 120.0),
    Step("matmul-bf16", "matrix products in bfloat16, on an accelerator", cases.matmul_bf16, "best", 120.0),
    Step("autograd", "the overhead of a forward and a backward pass", cases.autograd, "best", 120.0),
    Step("conv", "a 3x3 convolution, forward and backward", cases.conv, "best", 120.0),
)

SUITES = {"verify": VERIFY, "bench": BENCH}
