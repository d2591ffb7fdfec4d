"""Extensions that compute attention: each is compared with the formula."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
from typing import Any

from ..message import sentence
from ..step import Outcome, skipped
from .comparing import attention_inputs, compare_attention, unless_capability

__all__ = ["flash", "flash_3", "sage", "xformers"]

# Products of 8-bit integers: errors of some percent are expected.
_INT8_ERROR = 1e-1


def xformers(torch: Any, device: str) -> Outcome:
    """memory_efficient_attention: tensors are (batch, length, heads, width)."""
    inputs = attention_inputs(torch, device)
    attention = importlib.import_module("xformers.ops").memory_efficient_attention
    result = attention(*(tensor.transpose(1, 2).contiguous() for tensor in inputs))
    return compare_attention(torch, "memory_efficient_attention", inputs, result.transpose(1, 2))


def flash(torch: Any, device: str) -> Outcome:
    """flash_attn_func of FlashAttention 2: tensors are (batch, length, heads, width)."""
    too_old = unless_capability(torch, device, (8, 0), "flash-attn")
    if too_old is not None:
        return too_old
    inputs = attention_inputs(torch, device)
    attention = importlib.import_module("flash_attn").flash_attn_func
    result = attention(*(tensor.transpose(1, 2).contiguous() for tensor in inputs))
    return compare_attention(torch, "flash_attn_func", inputs, result.transpose(1, 2))


def flash_3(torch: Any, device: str) -> Outcome:
    """flash_attn_func of FlashAttention 3, for Hopper; some versions return the softmax' sums too."""
    if getattr(torch.version, "hip", None):
        return skipped(
            "not-for-device", sentence("{name} has no kernels for AMD's GPUs", name="flash-attn-3")
        )
    too_old = unless_capability(torch, device, (9, 0), "flash-attn-3")
    if too_old is not None:
        return too_old
    inputs = attention_inputs(torch, device)
    attention = importlib.import_module("flash_attn_interface").flash_attn_func
    result = attention(*(tensor.transpose(1, 2).contiguous() for tensor in inputs))
    result = result[0] if isinstance(result, tuple) else result
    return compare_attention(torch, "flash_attn_func", inputs, result.transpose(1, 2))


def sage(torch: Any, device: str) -> Outcome:
    """Attention in 8 bits: tensors are (batch, heads, length, width)."""
    if getattr(torch.version, "hip", None):
        return skipped(
            "not-for-device", sentence("{name} has no kernels for AMD's GPUs", name="sageattention")
        )
    too_old = unless_capability(torch, device, (8, 0), "sageattention")
    if too_old is not None:
        return too_old
    inputs = attention_inputs(torch, device)
    result = importlib.import_module("sageattention").sageattn(*inputs, tensor_layout="HND", is_causal=False)
    return compare_attention(torch, "sageattn", inputs, result, _INT8_ERROR)
