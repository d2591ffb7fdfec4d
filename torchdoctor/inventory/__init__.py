"""What lies in an environment: packages, builds, files in the way, settings. Read as text and files, never imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.inventory.collect import collect_inventory
    from torchdoctor.inventory.model import Inventory

__all__ = ["Inventory", "collect_inventory"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "model": ("Inventory",),
            "collect": ("collect_inventory",),
        },
    )
