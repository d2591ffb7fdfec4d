"""HTTP: pages and streams of bounded time and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.core.net.connectivity import Reach, probe_connectivity
    from torchdoctor.core.net.http import NotFound, Page, Unreachable, fetch_page, open_stream
    from torchdoctor.core.net.ranges import RangeReader

__all__ = [
    "NotFound",
    "Page",
    "RangeReader",
    "Reach",
    "Unreachable",
    "fetch_page",
    "open_stream",
    "probe_connectivity",
]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "connectivity": ("Reach", "probe_connectivity"),
            "ranges": ("RangeReader",),
            "http": ("NotFound", "Page", "Unreachable", "fetch_page", "open_stream"),
        },
    )
