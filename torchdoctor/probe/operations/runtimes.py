"""Runtimes that compute without torch: which devices they can use, and that they do."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
from typing import Any

from ..devices import kind
from ..message import joined, sentence
from ..step import Outcome, failed, passed, skipped, warned
from .comparing import compare_values
from .onnx_model import addition

__all__ = ["ctranslate2", "llama_cpp", "onnxruntime"]

# Those that run on the GPUs that torch calls cuda: https://onnxruntime.ai/docs/execution-providers/.
_GPU_PROVIDERS = ("CUDAExecutionProvider", "MIGraphXExecutionProvider", "ROCMExecutionProvider")


def onnxruntime(_torch: Any, device: str) -> Outcome:
    """A model of one addition. Where a provider cannot start, ONNX Runtime takes the CPU without a word."""
    runtime = importlib.import_module("onnxruntime")
    available = list(runtime.get_available_providers())
    provider = "CPUExecutionProvider"
    options: dict[str, Any] = {}
    if kind(device) != "cpu":
        found = [name for name in _GPU_PROVIDERS if name in available]
        if not found:
            return failed("gpu-not-used", _only_cpu("onnxruntime", device))
        provider, options = found[0], {"device_id": int(device.partition(":")[2] or 0)}
    numpy = importlib.import_module("numpy")
    session = runtime.InferenceSession(addition(), providers=[(provider, options)])
    used = session.get_providers()
    if provider not in used:
        text = sentence("{provider} could not start, so {used} is used", provider=provider, used=joined(used))
        return failed("gpu-not-used", text)
    inputs = {"a": numpy.array([1, 2], dtype="float32"), "b": numpy.array([10, 20], dtype="float32")}
    return compare_values(provider, session.run(None, inputs)[0].tolist(), [11.0, 22.0])


def ctranslate2(torch: Any, device: str) -> Outcome:
    """The types in which it can compute on the device."""
    if kind(device) != "cpu" and getattr(torch.version, "hip", None):
        return skipped("not-for-device", sentence("{name} has no kernels for AMD's GPUs", name="ctranslate2"))
    module = importlib.import_module("ctranslate2")
    index = int(device.partition(":")[2] or 0)
    if kind(device) != "cpu" and module.get_cuda_device_count() <= index:
        return failed("gpu-not-used", _only_cpu("ctranslate2", device))
    types = sorted(module.get_supported_compute_types(kind(device), index))
    if "float32" not in types:
        return failed("wrong-result", sentence("{name} cannot compute in float32", name="ctranslate2"))
    return passed(sentence("it computes in {types}", types=joined(types)))


def llama_cpp(_torch: Any, device: str) -> Outcome:
    """Its backend starts; on a GPU it must have been built for one."""
    module = importlib.import_module("llama_cpp")
    module.llama_backend_init()
    if kind(device) != "cpu" and not module.llama_supports_gpu_offload():
        return warned("cpu-only-build", _only_cpu("llama-cpp-python", device))
    info = module.llama_print_system_info()
    text = " ".join(str(info.decode("utf-8", "replace") if isinstance(info, bytes) else info).split())
    return passed(sentence("its backend starts: {info}", info=text[:200]))


def _only_cpu(name: str, device: str) -> str:
    return sentence("this build of {name} cannot use {device}, only the CPU", name=name, device=device)
