"""Where wheels can come from: options, a mirror, the official index, settings of pip and uv, and PyPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.sources.listing import SourceListing
    from torchdoctor.sources.order import Sources, order_sources
    from torchdoctor.sources.source import OFFICIAL, PYPI, Source

__all__ = ["OFFICIAL", "PYPI", "Source", "SourceListing", "Sources", "order_sources"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "listing": ("SourceListing",),
            "order": ("Sources", "order_sources"),
            "source": ("OFFICIAL", "PYPI", "Source"),
        },
    )
