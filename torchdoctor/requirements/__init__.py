"""What a user asks for besides torch: requirement files, projects and single requirements, as one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.requirements.lines import check_requirement
    from torchdoctor.requirements.model import AskedRequirement, StackOptions, StackRequest
    from torchdoctor.requirements.read import read_stack

__all__ = ["AskedRequirement", "StackOptions", "StackRequest", "check_requirement", "read_stack"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {
            "lines": ("check_requirement",),
            "model": ("AskedRequirement", "StackOptions", "StackRequest"),
            "read": ("read_stack",),
        },
    )
