"""GPU products of NVIDIA, AMD, Intel and Apple by the names that people write, with what decides torch's builds."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from wheels_index._data import read_json, two_numbers
from wheels_index._gpu_words import (
    PACKAGE,
    is_model,
    listed_names,
    models_within,
    name_words,
    readings,
    vendor_of_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Product", "Vendor", "meanings", "name_words", "product", "products", "similar_names"]

Vendor = Literal["nvidia", "amd", "intel", "apple"]

# Words before a model that people leave out: `4070`, `7900 XTX`, `W7900`.
_SERIES = frozenset({"rtx", "gtx", "rx", "arc", "ai", "pro", "wx", "jetson"})
# K40m and K40c are one chip with another cooler.
_COOLER = re.compile(r"(k[124]0)[a-z]{1,2}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A GPU that is or was sold. What is not known is None."""

    vendor: Vendor
    name: str
    chips: tuple[str, ...]  # some products have one of several
    compute_capability: tuple[int, int] | None = None  # NVIDIA's
    generation: str | None = None  # NVIDIA's
    gfx: str | None = None  # AMD's target


def product(name: str) -> Product | None:
    """Return the product of a name as people write it; None for one that is not known or stands for several.

    >>> product("RTX 4090 Laptop GPU").compute_capability, product("RX 7900 XTX").gfx, product("M3 Max").vendor
    ((8, 9), 'gfx1100', 'apple')
    >>> product("580") is None  # a GeForce GTX 580 or a Radeon RX 580
    True
    """
    return _joined(" ".join(name.split()), meanings(name))


def meanings(name: str) -> tuple[Product, ...]:
    """Return every product that a name can stand for, each with its own name; none where no product has it.

    >>> [(each.name, each.compute_capability) for each in meanings("GT 730")]
    [('GeForce GT 730', (2, 1)), ('GeForce GT 730', (3, 0)), ('GeForce GT 730', (3, 5))]
    """
    found = [each for part in listed_names(name) for each in _meanings_of_one(part)]
    vendor = vendor_of_words(name)
    return tuple(dict.fromkeys(each for each in found if vendor is None or each.vendor == vendor))


def _meanings_of_one(name: str) -> tuple[Product, ...]:
    for words, laptop in readings(name):
        if found := _named(words, laptop) or _with_more_words(words):
            return found
    return next((found for words, laptop in models_within(name) if (found := _named(words, laptop))), ())


def _named(words: tuple[str, ...], laptop: bool) -> tuple[Product, ...]:
    """Products with these words, with or without what says how they are packaged."""
    table, bare = _table(), _unpackaged(words)
    keys = ((words, laptop), (words, not laptop), (bare, laptop), (bare, not laptop))
    return next((table[key] for key in keys if key[0] and key in table), ())


def _with_more_words(words: tuple[str, ...]) -> tuple[Product, ...]:
    """Products whose names have all these words and others: `RTX PRO 6000` has three editions."""
    if not is_model(words):
        return ()
    wanted = set(words)
    return tuple(each for (others, _), found in _table().items() if wanted <= set(others) for each in found)


def products() -> tuple[Product, ...]:
    """Return every product of the tables."""
    return tuple(_read())


def similar_names(name: str, count: int = 3) -> tuple[str, ...]:
    """Return the names of products that are spelled nearly like this one, the nearest first."""
    import difflib

    by_words = {" ".join(name_words(each.name)[0]): each.name for each in _read()}
    near = difflib.get_close_matches(" ".join(name_words(name)[0]), by_words, n=count, cutoff=0.6)
    return tuple(by_words[words] for words in near)


def _unpackaged(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if not PACKAGE.fullmatch(word))


@lru_cache(maxsize=1)
def _table() -> dict[tuple[tuple[str, ...], bool], tuple[Product, ...]]:
    """Products by the words of their name and whether it is a laptop's.

    A name without its package or its series stands for every product that it could mean.
    """
    exact: dict[tuple[tuple[str, ...], bool], list[Product]] = defaultdict(list)
    loose: dict[tuple[tuple[str, ...], bool], list[Product]] = defaultdict(list)
    for each in _read():
        words, laptop = name_words(each.name)
        exact[words, laptop].append(each)
        for fewer in set(_shorter(words)) - {words}:
            if is_model(fewer) or words[0] == "jetson":
                loose[fewer, laptop].append(each)
        # What lspci calls it: `GA102`, `Navi 31`.
        for chip in {*each.chips, *(chip.removesuffix(" XT") for chip in each.chips)}:
            loose[name_words(chip)[0], False].append(each)
    return {key: tuple(exact.get(key) or loose[key]) for key in {*exact, *loose}}


def _shorter(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words without the package, without the series before the model, and without both."""
    for kept in (words, _unpackaged(words)):
        yield tuple(_COOLER.sub(r"\1", word) for word in kept)
        for start in range(1, len(kept)):
            if kept[start - 1] not in _SERIES:
                break
            yield kept[start:]


def _joined(name: str, found: tuple[Product, ...]) -> Product | None:
    """One product for all that a name may mean, where torch sees them alike; None for none."""
    if not found:
        return None
    first = found[0]
    alike = {(each.vendor, each.compute_capability, each.gfx) for each in found}
    if len(alike) > 1:
        return None
    chips = tuple(dict.fromkeys(chip for each in found for chip in each.chips))
    return Product(
        vendor=first.vendor, name=name, chips=chips, compute_capability=first.compute_capability,
        generation=first.generation, gfx=first.gfx,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _read() -> tuple[Product, ...]:
    facts = read_json("chips.json")
    found = [*_nvidia(facts["nvidia"]), *_amd(facts["amd"])]
    for chip, names in read_json("products/intel.json")["chips"].items():
        found += [Product(vendor="intel", name=name, chips=(chip,)) for name in names]
    found += [Product(vendor="apple", name=name, chips=()) for name in facts["apple"]["names"]]
    return tuple(found)


def _nvidia(facts: dict[str, Any]) -> Iterator[Product]:
    by_chip = {chip: row for row in facts["chips"] for chip in row["chips"]}
    names = [
        *read_json("products/nvidia.json")["chips"].items(),
        *((row["chip"], row["names"]) for row in facts["more"]),
    ]
    for chip, each in names:
        row = by_chip[chip]
        capability = two_numbers(row["compute_capability"])
        for name in each:
            yield Product(
                vendor="nvidia",
                name=name,
                chips=(chip,),
                compute_capability=capability,
                generation=row["generation"],
            )


def _amd(facts: dict[str, Any]) -> Iterator[Product]:
    by_chip = {chip: row["gfx"] for row in facts["chips"] for chip in row["chips"]}
    by_name = {row["name"]: row["gfx"] for row in facts["products"]}
    for chip, names in read_json("products/amd.json")["chips"].items():
        for name in names:
            yield Product(vendor="amd", name=name, chips=(chip,), gfx=by_name.get(name, by_chip[chip]))
    for row in facts["more"]:
        for name in row["names"]:
            yield Product(vendor="amd", name=name, chips=(), gfx=row["gfx"])
