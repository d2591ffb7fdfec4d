"""Checks of tensors as values: made in each way, seen through each kind of view, read back exactly."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from typing import Any

from ..message import joined, sentence
from ..step import Outcome, failed, passed
from .tolerances import is_unsupported

__all__ = ["creation", "views"]

_DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64", "complex64",
)  # fmt: skip


def creation(torch: Any, device: str) -> Outcome:
    """Make tensors in each usual way and in each dtype, and read the values back."""
    on = {"device": device}
    base = torch.tensor([[1.0, 2.0], [3.0, 4.0]], **on)
    results: list[tuple[str, Any, Any]] = [
        ("zeros", torch.zeros(2, 2, **on), [[0, 0], [0, 0]]),
        ("ones", torch.ones(3, **on), [1, 1, 1]),
        ("full", torch.full((2,), 7.5, **on), [7.5, 7.5]),
        ("arange", torch.arange(2, 11, 4, **on), [2, 6, 10]),
        ("linspace", torch.linspace(0, 1, 5, **on), [0, 0.25, 0.5, 0.75, 1]),
        ("eye", torch.eye(2, **on), [[1, 0], [0, 1]]),
        ("tensor", base, [[1, 2], [3, 4]]),
        ("ones_like", torch.ones_like(base), [[1, 1], [1, 1]]),
        ("arithmetic", base * 2 + 1 - base / 2, [[2.5, 4], [5.5, 7]]),
        ("comparison", base > 2, [[False, False], [True, True]]),
        ("integers", torch.tensor([7, -7], **on) // 2, [3, -4]),
    ]
    there, absent = [], []
    for name in _DTYPES:
        try:
            results.append((name, torch.tensor([0, 1, 1], dtype=getattr(torch, name), **on), [0, 1, 1]))
            there.append(name)
        except (RuntimeError, TypeError, NotImplementedError) as error:
            if name == "float32" or not is_unsupported(error):
                raise
            absent.append(name)
    return _compare(
        results,
        joined(
            [
                sentence("{count} dtypes", count=len(there)),
                sentence("; not available: {absent}", absent=joined(absent)) if absent else "",
            ],
            "",
        ),
    )


def views(torch: Any, device: str) -> Outcome:
    """Reshape, turn, slice, index and gather; a write through a view is seen in what it is a view of."""
    x = torch.arange(24, device=device).reshape(2, 3, 4)
    results: list[tuple[str, Any, Any]] = [
        ("transpose", x[0].t(), [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]),
        ("permute", x.permute(2, 0, 1)[3], [[3, 7, 11], [15, 19, 23]]),
        ("slice with a step", x[1, :, ::2], [[12, 14], [16, 18], [20, 22]]),
        ("view", x.view(6, 4)[5], [20, 21, 22, 23]),
        ("contiguous", x.transpose(0, 2).contiguous().view(-1)[:4], [0, 12, 4, 16]),
        ("expand", torch.tensor([[1], [2]], device=device).expand(2, 3), [[1, 1, 1], [2, 2, 2]]),
        ("mask", x[x > 21], [22, 23]),
        ("index", x[0][torch.tensor([2, 0], device=device)], [[8, 9, 10, 11], [0, 1, 2, 3]]),
        ("gather", x[0].gather(1, torch.tensor([[3], [0], [1]], device=device)), [[3], [4], [9]]),
        ("cat", torch.cat([x[0, :1], x[1, :1]]), [[0, 1, 2, 3], [12, 13, 14, 15]]),
        ("broadcast", (x[0] + x[1, 0])[2], [20, 22, 24, 26]),
        ("sort", torch.tensor([3, 1, 2], device=device).sort().values, [1, 2, 3]),
    ]
    written = torch.zeros(2, 3, device=device)
    written[:, 1:].t()[1, 0] = 5
    results.append(("write through a view", written, [[0, 0, 5], [0, 0, 0]]))
    if x.data_ptr() != x.view(-1).data_ptr():
        return failed("view-copied", sentence("a view has memory of its own"))
    return _compare(results, sentence("views share memory"))


def _compare(results: list[tuple[str, Any, Any]], note: str) -> Outcome:
    """Compare each result (name, tensor, values) exactly."""
    for name, got, wanted in results:
        if got.tolist() != wanted:
            return failed(
                "wrong-result",
                sentence("{name} gives {got}, not {wanted}", name=name, got=got.tolist(), wanted=wanted),
            )
    return passed(sentence("{count} results, each exact; {said}", count=len(results), said=note))
