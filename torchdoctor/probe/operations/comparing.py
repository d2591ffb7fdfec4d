"""What operations compare: attention and products with torch's own result in float64, and lists with known ones."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..message import sentence
from ..step import Outcome, failed, passed, skipped
from ..verify.tolerances import Expectation, compare_results

__all__ = ["attention_inputs", "compare_attention", "compare_tensor", "compare_values", "unless_capability"]

# float16 keeps 11 bits; a sum of 64 products of them was measured at 3e-4 to 1e-3.
_FLOAT16_ERROR = 1e-2
_SEED = 20


def compare_tensor(torch: Any, name: str, result: Any, reference: Any, limit: float = 2e-6) -> Outcome:
    """Compare with a reference by the relative error."""
    return compare_results(torch, [Expectation(name, result, reference.detach().cpu().double(), limit)])


def compare_values(name: str, found: Any, wanted: Any) -> Outcome:
    """Compare values that are known exactly."""
    if found != wanted:
        return failed(
            "wrong-result",
            sentence("{name} gives {found}, not {wanted}", name=name, found=found, wanted=wanted),
        )
    return passed(sentence("{name} gives the known values", name=name))


def attention_inputs(torch: Any, device: str) -> tuple[Any, Any, Any]:
    """Return query, key and value in float16, of shape (batch 1, heads 2, length 128, width 64)."""
    generator = torch.Generator().manual_seed(_SEED)
    made = (torch.randn(1, 2, 128, 64, generator=generator) for _ in range(3))
    query, key, value = (tensor.to(device=device, dtype=torch.float16) for tensor in made)
    return query, key, value


def compare_attention(
    torch: Any, name: str, inputs: tuple[Any, Any, Any], result: Any, limit: float = _FLOAT16_ERROR
) -> Outcome:
    """Compare with the formula, softmax(QK / sqrt(d)) V, in float64; `result` has the inputs' shape."""
    query, key, value = (tensor.detach().cpu().double() for tensor in inputs)
    weights = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1)
    return compare_tensor(torch, name, result, weights @ value, limit)


def unless_capability(torch: Any, device: str, least: tuple[int, int], name: str) -> Outcome | None:
    """Return a skip for an NVIDIA GPU that is older than the kernels are made for; None where they should run."""
    if getattr(torch.version, "hip", None):
        return None
    here = tuple(torch.cuda.get_device_capability(device))
    if here >= least:
        return None
    text = sentence(
        "{name} needs compute capability {least}, and {device} has {here}",
        name=name,
        least="{}.{}".format(*least),
        device=device,
        here="{}.{}".format(*here),
    )
    return skipped("gpu-too-old-for-it", text)
