"""Wheelhouse -> Environment: installs all of the wheels or changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.install.create import create_environment
    from torchdoctor.install.location import inspect_location
    from torchdoctor.install.model import Environment
    from torchdoctor.install.update import update_environment

__all__ = ["Environment", "create_environment", "inspect_location", "update_environment"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "create": ("create_environment",),
            "location": ("inspect_location",),
            "model": ("Environment",),
            "update": ("update_environment",),
        },
    )
