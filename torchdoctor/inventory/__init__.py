"""What an environment contains: packages, builds, files in the way, settings. Read as files; nothing is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.inventory.collect import collect_inventory
    from torchdoctor.inventory.installed import damaged_packages, installed_versions
    from torchdoctor.inventory.model import Inventory

__all__ = ["Inventory", "collect_inventory", "damaged_packages", "installed_versions"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "model": ("Inventory",),
            "collect": ("collect_inventory",),
            "installed": ("damaged_packages", "installed_versions"),
        },
    )
