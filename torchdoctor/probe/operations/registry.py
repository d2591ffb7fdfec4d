"""Every operation by its id, by which the data of extensions name it."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from . import attention, data, graphs, kernels, quantization, runtimes, vision

if TYPE_CHECKING:
    from ..step import Outcome

__all__ = ["OPERATIONS", "Operation"]

_GPU = ("cuda",)
_BOTH = ("cpu", "cuda")
_ANY_GPU = ("cuda", "xpu")


class Operation(NamedTuple):
    """What proves one extension: `run(torch, device)` on each device of these `kinds`, within `limit` seconds."""

    run: Callable[[Any, str], Outcome]
    kinds: tuple[str, ...] = _BOTH
    limit: float = 120.0


OPERATIONS = {
    "apex-layer-norm": Operation(kernels.apex, _GPU),
    "bitsandbytes-linear": Operation(quantization.bitsandbytes, ("cpu", "cuda", "xpu")),
    "ctranslate2-devices": Operation(runtimes.ctranslate2),
    "deepspeed-import": Operation(kernels.deepspeed, ("cpu",)),
    "detectron2-nms": Operation(vision.detectron2),
    "flash-attention": Operation(attention.flash, _GPU),
    "flash-attention-3": Operation(attention.flash_3, _GPU),
    "geometric-convolution": Operation(graphs.geometric),
    "llama-cpp-backend": Operation(runtimes.llama_cpp),
    "mmcv-nms": Operation(vision.mmcv),
    "onnxruntime-session": Operation(runtimes.onnxruntime),
    "pyg-lib-matmul": Operation(graphs.pyg_lib),
    "pytorch3d-knn": Operation(vision.pytorch3d),
    "sage-attention": Operation(attention.sage, _GPU),
    "sglang-kernels": Operation(kernels.sglang, _GPU),
    "torch-cluster-knn": Operation(graphs.cluster),
    "torch-scatter-add": Operation(graphs.scatter),
    "torch-sparse-matmul": Operation(graphs.sparse),
    "torch-spline-basis": Operation(graphs.spline),
    "torchao-quantize": Operation(quantization.torchao, ("cpu", "cuda", "xpu", "mps")),
    "torchcodec-decode": Operation(data.torchcodec, ("cpu",)),
    "torchdata-loader": Operation(data.torchdata, ("cpu",)),
    "torchtext-vocab": Operation(data.torchtext, ("cpu",)),
    "triton-kernel": Operation(kernels.triton, _ANY_GPU),
    "vllm-kernels": Operation(kernels.vllm),
    "xformers-attention": Operation(attention.xformers, _GPU),
}
