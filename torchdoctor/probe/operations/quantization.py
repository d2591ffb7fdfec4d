"""Extensions that quantise weights: a small layer is compared with the same one in full precision."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .comparing import compare_tensor

if TYPE_CHECKING:
    from ..step import Outcome

__all__ = ["bitsandbytes", "torchao"]

_SEED = 21
# Random weights in 4 bits (NF4) were measured at 9e-2, in 8 bits at 4e-3.
_NF4_ERROR, _INT8_ERROR = 2e-1, 2e-2


def bitsandbytes(torch: Any, device: str) -> Outcome:
    """A linear layer in 4 bits."""
    nn = importlib.import_module("bitsandbytes").nn
    weight, inputs = _weight_and_inputs(torch)
    layer = nn.Linear4bit(64, 64, bias=False, quant_type="nf4", compute_dtype=torch.float32)
    layer.weight = nn.Params4bit(weight.clone(), requires_grad=False, quant_type="nf4")
    with torch.no_grad():
        result = layer.to(device)(inputs.to(device))
    return compare_tensor(torch, "Linear4bit", result, inputs.double() @ weight.double().t(), _NF4_ERROR)


def torchao(torch: Any, device: str) -> Outcome:
    """A linear layer with weights in 8 bits."""
    quantization = importlib.import_module("torchao.quantization")
    weight, inputs = _weight_and_inputs(torch)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64, bias=False)).to(device)
    with torch.no_grad():
        model[0].weight.copy_(weight)
        # The class came with torchao 0.10; before it a function made the same.
        config = getattr(quantization, "Int8WeightOnlyConfig", None) or quantization.int8_weight_only
        quantization.quantize_(model, config())
        result = model(inputs.to(device))
    return compare_tensor(torch, "int8 weights", result, inputs.double() @ weight.double().t(), _INT8_ERROR)


def _weight_and_inputs(torch: Any) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(_SEED)
    return torch.randn(64, 64, generator=generator), torch.randn(4, 64, generator=generator)
