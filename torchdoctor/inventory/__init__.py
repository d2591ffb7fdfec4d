"""What lies in an environment: packages, builds, files in the way, settings. Read as text and files, never imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchdoctor.inventory.model import Inventory
    from torchdoctor.inventory.take import take_inventory

__all__ = ["Inventory", "take_inventory"]

_HOMES = {"Inventory": "model", "take_inventory": "take"}


def __getattr__(name: str) -> Any:
    """Import a name of this package's surface from its module, on first use."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
