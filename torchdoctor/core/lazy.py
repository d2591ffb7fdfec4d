"""Names that a package offers and imports from its modules on first use, so that importing the package is cheap."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["lazy_names"]


def lazy_names(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Return a module `__getattr__` (PEP 562) for `package`: `homes` maps each of its modules to the names it defines.

    >>> __getattr__ = lazy_names("torchdoctor.core", {"lazy": ("lazy_names",)})
    >>> __getattr__("lazy_names").__name__
    'lazy_names'
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return get
