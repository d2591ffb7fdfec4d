"""The compute capability of an NVIDIA GPU by its name, as people write it, or of a family of cards."""

from __future__ import annotations

import functools
import re

__all__ = ["capability_of", "series_capability"]


@functools.lru_cache(maxsize=256)
def capability_of(name: str) -> tuple[int, int] | None:
    """Return the compute capability of an NVIDIA GPU by its name, as people write it; None if that is not known."""
    from wheels_index import gpu, product

    # A laptop's GPU is of the generation of the card whose name it has, and a K40m is a K40 without a fan.
    desktop_name = re.sub(r" Laptop(?: GPU)?$|(?<=Tesla [KM]\d\d)[cmstx]$", "", name)
    known = gpu(name) or gpu(desktop_name)
    if known is not None:
        return known.compute_capability
    named = product(name)
    return named.compute_capability if named is not None else None


@functools.cache
def series_capability(series: str) -> tuple[int, int] | None:
    """Return the compute capability of a family (`rtx 50`), if all of its cards have one.

    >>> series_capability("rtx 50"), series_capability("gtx 16")
    ((12, 0), (7, 5))
    """
    from wheels_index import products

    kind, _, number = series.partition(" ")
    named = re.compile(rf"\b{re.escape(kind)} ?{re.escape(number)}[6-9]0\b", re.IGNORECASE)
    # A 2050 is a 3050 by another name, and an RTX 3000 is a Quadro.
    found = {
        each.compute_capability for each in products() if each.vendor == "nvidia" and named.search(each.name)
    }
    return found.pop() if len(found) == 1 else None
