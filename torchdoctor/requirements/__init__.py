"""What a user asks for besides torch: requirement files, projects and single requirements, as one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.requirements.model import AskedRequirement, StackRequest

__all__ = ["AskedRequirement", "StackRequest"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(__name__, {"model": ("AskedRequirement", "StackRequest")})
