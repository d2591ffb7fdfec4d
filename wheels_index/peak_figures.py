"""The peak figures of GPUs of all vendors: what the hardware can do at most, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from wheels_index._data import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheels_index.gpu_names import Vendor

__all__ = ["Peaks", "all_peaks", "peaks"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Peaks:
    """Dense peaks in TFLOPS, GB and GB/s; None where no source was found that others can read.

    `source` is the vendor's document, `read_in` when and in which public file or page it was read. float16 and
    bfloat16 are those of the matrix units, with sums in float32.
    """

    name: str
    vendor: Vendor
    memory_gb: float | None
    bandwidth_gbs: float | None
    fp32_tflops: float | None
    tf32_tflops: float | None
    fp16_tflops: float | None
    bf16_tflops: float | None
    source: str | None
    read_in: str | None
    note: str | None


def peaks(name: str) -> Peaks | None:
    """Return the peaks of a GPU by its name, as torch or a person writes it; None where no row is surely meant.

    >>> peaks("AMD Instinct MI300X").bf16_tflops, peaks("Apple M4 Pro").bandwidth_gbs
    (1307.4, 273)
    >>> peaks("Intel(R) Arc(TM) B580 Graphics").fp32_tflops, peaks("NVIDIA L4").bandwidth_gbs
    (13.67, 300)
    """
    from wheels_index.gpu import gpu
    from wheels_index.gpu_names import name_words

    words = name_words(name)
    if found := _others().get(words):
        return found
    card = gpu(name)
    if card is None:
        return None
    return Peaks(
        name=card.name,
        vendor="nvidia",
        memory_gb=card.memory_gb,
        bandwidth_gbs=card.bandwidth_gbs,
        fp32_tflops=card.fp32_tflops,
        tf32_tflops=card.tf32_dense_tflops,
        fp16_tflops=card.fp16_tensor_dense_tflops,
        bf16_tflops=card.bf16_tensor_dense_tflops,
        source=card.figures_source,
        read_in=card.figures_checked if isinstance(card.figures_checked, str) else None,
        note=card.note,
    )


def all_peaks() -> tuple[Peaks, ...]:
    """Return every row that is not NVIDIA's, in the order of the table; `gpus()` has those."""
    return tuple(_others().values())


@lru_cache(maxsize=1)
def _others() -> Mapping[tuple[tuple[str, ...], bool], Peaks]:
    """AMD's, Intel's and Apple's GPUs by the words of their names."""
    from wheels_index.gpu_names import name_words

    return {name_words(row["name"]): _peaks(row) for row in read_json("peaks.json")["gpus"]}


def _peaks(row: Mapping[str, Any]) -> Peaks:
    values = {key: value for key, value in row.items() if key not in ("date", "read_in")}
    return Peaks(**values, read_in=f"read {row['date']} in {row['read_in']}")
