"""Lock -> Wheelhouse: verified wheels in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.fetch.cache import cache_contents, clean_cache
    from torchdoctor.fetch.model import FetchedWheel, Wheelhouse
    from torchdoctor.fetch.wheelhouse import fetch

__all__ = ["FetchedWheel", "Wheelhouse", "cache_contents", "clean_cache", "fetch"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "cache": ("cache_contents", "clean_cache"),
            "model": ("FetchedWheel", "Wheelhouse"),
            "wheelhouse": ("fetch",),
        },
    )
