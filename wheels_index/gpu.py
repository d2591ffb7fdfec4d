"""NVIDIA's GPUs by name: compute capability and, where a source names them, the peak figures."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wheels_index._data import read_json, two_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Gpu", "gpu", "gpus"]

_MAX_NAME_LENGTH = 200
# Words of a name that say how a GPU is packaged, not which it is: they change figures, never the capability.
_PACKAGE = re.compile(r"sxm\d?|pcie|nvl|hbm\d?e?|\d+gb|\d+mb", re.ASCII)
_NOISE = frozenset({"nvidia", "geforce", "tesla", "gpu"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """A GPU as NVIDIA names it.

    Figures are dense peaks in TFLOPS, GB and GB/s; None where no source was found. `figures_source` is NVIDIA's
    document, `figures_checked` when and in what it was read; False where there is no figure.
    """

    name: str
    compute_capability: tuple[int, int]
    generation: str
    market: str
    memory_gb: float | None
    bandwidth_gbs: float | None
    fp32_tflops: float | None
    tf32_dense_tflops: float | None
    fp16_tensor_dense_tflops: float | None
    bf16_tensor_dense_tflops: float | None
    source: str
    figures_source: str | None
    figures_checked: str | bool
    note: str | None


_FIGURES = tuple(field.name for field in fields(Gpu) if field.name.endswith(("_gb", "_gbs", "_tflops")))


def gpu(name: str) -> Gpu | None:
    """Return the GPU of a name as nvidia-smi prints it, or None for one that is not surely known.

    A name without its packaging (`A100`), or with another one (`Tesla V100-SXM3-32GB`), gives what all entries
    of that GPU agree on; a figure on which they differ, or which the packaging may change, is None. A product that
    only the lists of PCI ids have, such as a laptop's or a region's, has no figures.

    >>> gpu("NVIDIA GeForce RTX 4090").compute_capability, gpu("RTX 4090 Laptop GPU").fp32_tflops
    ((8, 9), None)
    >>> gpu("A100").compute_capability, gpu("A100").memory_gb
    ((8, 0), None)
    """
    words, is_slice = _words(name)
    exact, by_core = _tables()
    if words in exact and not is_slice:
        return exact[words]
    core = _without_packaging(words)
    cards = by_core.get(core, ())
    if not cards or len({card.compute_capability for card in cards}) > 1:
        return _by_chip(name)
    # One card whose packaging was not named (`GTX 1060`, and the card has 6 GB) says nothing of figures.
    return _common_facts(
        " ".join(name.split()), cards, figures=core == words and len(cards) > 1 and not is_slice
    )


def _by_chip(name: str) -> Gpu | None:
    """Return what the chip of a product tells."""
    from wheels_index.gpu_names import product  # the longer table, which most names do not need

    found = product(name)
    if found is None or found.compute_capability is None:
        return None
    return Gpu(
        name=found.name,
        compute_capability=found.compute_capability,
        generation=found.generation or "",
        market="unknown",
        **dict.fromkeys(_FIGURES),
        source=read_json("chips.json")["nvidia"]["source"],
        figures_source=None,
        figures_checked=False,
        note=None,
    )


def gpus() -> tuple[Gpu, ...]:
    """Return every GPU of the table, in its order."""
    return tuple(_gpu(row) for row in read_json("gpus.json")["gpus"])


def _words(name: str) -> tuple[tuple[str, ...], bool]:
    """Split a name into the words that matter, in lower case; say whether it is a slice of a GPU.

    `Quadro` stays: the Quadro RTX 6000 is another GPU than the RTX 6000 Ada Generation.
    """
    lowered = name[:_MAX_NAME_LENGTH].lower().replace("(r)", " ").replace("(tm)", " ")
    spaced = re.sub(r"\b(rtx|gtx)(?=\d)", r"\1 ", lowered)
    spaced = re.sub(r"(?<=\d)(ti|super)\b", r" \1", spaced)
    words = re.split(r"[\s_-]+", spaced)
    # A MIG slice is named after its GPU: "NVIDIA A100-SXM4-40GB MIG 1g.5gb".
    is_slice = "mig" in words
    whole = words[: words.index("mig")] if is_slice else words
    return tuple(word for word in whole if word and word not in _NOISE), is_slice


def _without_packaging(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if not _PACKAGE.fullmatch(word))


def _common_facts(name: str, cards: tuple[Gpu, ...], *, figures: bool) -> Gpu:
    """Return one GPU with what the cards share, and none of their figures unless asked for."""
    first = cards[0]
    seen = {figure: {getattr(card, figure) for card in cards} for figure in _FIGURES}
    same: dict[str, Any] = {
        figure: values.pop() if figures and len(values) == 1 else None for figure, values in seen.items()
    }
    return replace(first, name=name, note=None, **same)


@lru_cache(maxsize=1)
def _tables() -> tuple[Mapping[tuple[str, ...], Gpu], Mapping[tuple[str, ...], tuple[Gpu, ...]]]:
    """Return the GPUs by all words of their names, and by the words that are not packaging."""
    exact: dict[tuple[str, ...], list[Gpu]] = {}
    by_core: dict[tuple[str, ...], list[Gpu]] = {}
    for row in read_json("gpus.json")["gpus"]:
        found = _gpu(row)
        by_core.setdefault(_without_packaging(_words(found.name)[0]), []).append(found)
        for words in {_words(name)[0] for name in (found.name, *row.get("aliases", ()))}:
            exact.setdefault(words, []).append(found)
    single = {words: cards[0] for words, cards in exact.items() if len(cards) == 1}
    return MappingProxyType(single), MappingProxyType(
        {words: tuple(cards) for words, cards in by_core.items()}
    )


def _gpu(row: dict[str, Any]) -> Gpu:
    return Gpu(
        name=row["name"],
        compute_capability=two_numbers(row["compute_capability"]),
        generation=row["generation"],
        market=row["class"],
        **{figure: row[figure] for figure in _FIGURES},
        source=row["source"],
        figures_source=row["figures_source"],
        figures_checked=row["figures_checked"],
        note=row.get("note"),
    )
