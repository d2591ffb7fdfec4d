"""Extensions that bring kernels of their own: one is run, or what can be compiled here is counted."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from ..devices import kind
from ..message import sentence
from ..step import Outcome, passed, skipped, warned
from .comparing import compare_tensor

__all__ = ["apex", "deepspeed", "sglang", "triton", "vllm"]

_SEED = 23


def triton(torch: Any, device: str) -> Outcome:
    """Compile a kernel that adds two vectors, and compare the sum."""
    from .triton_kernel import add

    generator = torch.Generator().manual_seed(_SEED)
    one, other = (torch.randn(1000, generator=generator).to(device) for _ in range(2))
    result = add(torch, one, other)
    return compare_tensor(torch, "a kernel of Triton's", result, one.cpu().double() + other.cpu().double())


def apex(torch: Any, device: str) -> Outcome:
    """FusedLayerNorm; an installation without compiled kernels falls back to torch's own."""
    layer = importlib.import_module("apex.normalization").FusedLayerNorm(64).to(device)
    if importlib.util.find_spec("fused_layer_norm_cuda") is None:
        return warned(
            "kernels-missing", sentence("{name} was installed without its compiled kernels", name="apex")
        )
    generator = torch.Generator().manual_seed(_SEED)
    inputs = torch.randn(8, 64, generator=generator)
    with torch.no_grad():
        result = layer(inputs.to(device))
    wanted = torch.nn.functional.layer_norm(inputs.double(), (64,))
    return compare_tensor(torch, "FusedLayerNorm", result, wanted, 2e-5)


def vllm(torch: Any, device: str) -> Outcome:
    """RMSNorm in vLLM's compiled kernels, which its platform loads."""
    platform = importlib.import_module("vllm.platforms").current_platform
    if kind(device) == "cpu" and not platform.is_cpu():
        return skipped("needs-gpu", sentence("this build of {name} runs on a GPU only", name="vllm"))
    load = getattr(platform, "import_kernels", None)  # before 0.11 the module was imported by name
    if load is not None:
        load()
    else:
        importlib.import_module("vllm._C")
    compiled = getattr(torch.ops, "_C")  # noqa: B009  # the name of vLLM's own group of operators
    if not hasattr(compiled, "rms_norm"):
        return passed(sentence("{name}'s kernels are loaded", name="vllm"))
    generator = torch.Generator().manual_seed(_SEED)
    inputs, weight = torch.randn(4, 64, generator=generator), torch.rand(64, generator=generator) + 0.5
    result = torch.empty(4, 64, device=device)
    compiled.rms_norm(result, inputs.to(device), weight.to(device), 1e-6)
    exact = inputs.double()
    wanted = exact * (exact.pow(2).mean(dim=1, keepdim=True) + 1e-6).rsqrt() * weight.double()
    return compare_tensor(torch, "rms_norm", result, wanted, 2e-5)


def sglang(torch: Any, device: str) -> Outcome:
    """silu_and_mul in SGLang's compiled kernels."""
    if importlib.util.find_spec("sgl_kernel") is None:
        return skipped("kernels-not-installed", sentence("{name} is not installed", name="sgl-kernel"))
    generator = torch.Generator().manual_seed(_SEED)
    inputs = torch.randn(4, 128, generator=generator).to(device=device, dtype=torch.float16)
    result = importlib.import_module("sgl_kernel").silu_and_mul(inputs)
    exact = inputs.cpu().double()
    wanted = torch.nn.functional.silu(exact[:, :64]) * exact[:, 64:]
    return compare_tensor(torch, "silu_and_mul", result, wanted, 5e-3)


def deepspeed(_torch: Any, _device: str) -> Outcome:
    """Which operators are installed or can be compiled here; most need nvcc, and none is needed to train."""
    builders = importlib.import_module("deepspeed.ops.op_builder.all_ops").ALL_OPS
    fitting = sorted(str(name) for name, builder in builders.items() if _can_be_compiled(builder))
    return passed(
        sentence(
            "{count} of {total} operators are installed or can be compiled here",
            count=len(fitting),
            total=len(builders),
        )
    )


def _can_be_compiled(builder: Any) -> bool:
    try:
        return bool(builder.is_compatible(verbose=False))
    except Exception:  # noqa: BLE001  # a builder that finds no compiler may raise anything
        return False
