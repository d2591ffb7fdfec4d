"""The check of fused attention."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..devices import kind
from ..message import sentence
from .tolerances import FLOAT32_ERROR, Expectation, compare_results, reason_for_low_precision

if TYPE_CHECKING:
    from ..step import Outcome

__all__ = ["attention"]

# float16 attention against float64: the probabilities are rounded once, the sums kept in float32.
_FLOAT16_ERROR = 5e-3


def attention(torch: Any, device: str) -> Outcome:
    """scaled_dot_product_attention, plain, causal and in half precision, against the formula in float64."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 4, 32, 16, generator=generator) for _ in range(3))
    fused = torch.nn.functional.scaled_dot_product_attention
    here = [tensor.to(device) for tensor in (q, k, v)]
    note = reason_for_low_precision(torch, device)
    rows = [
        Expectation(
            sentence("plain"), fused(*here), _formula(torch, q, k, v, causal=False), FLOAT32_ERROR * 5, note
        ),
        Expectation(
            sentence("causal"),
            fused(*here, is_causal=True),
            _formula(torch, q, k, v, causal=True),
            FLOAT32_ERROR * 5,
            note,
        ),
    ]
    if kind(device) == "cuda":
        half = [tensor.half() for tensor in (q, k, v)]
        got = fused(*(tensor.to(device) for tensor in half), is_causal=True)
        rows.append(Expectation("float16", got, _formula(torch, *half, causal=True), _FLOAT16_ERROR))
    return compare_results(torch, rows)


def _formula(torch: Any, q: Any, k: Any, v: Any, *, causal: bool) -> Any:
    scores = q.double() @ k.double().transpose(-2, -1) / q.shape[-1] ** 0.5
    if causal:
        ahead = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(ahead, float("-inf"))
    return scores.softmax(-1) @ v.double()
