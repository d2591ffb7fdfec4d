"""A plan as a file of another tool: constraints, requirements, uv, Poetry, conda, Docker, dev containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.report.formats.registry import FORMATS, format_text
    from torchdoctor.report.formats.stack_text import StackText, describe_stack

__all__ = ["FORMATS", "StackText", "describe_stack", "format_text"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {"registry": ("FORMATS", "format_text"), "stack_text": ("StackText", "describe_stack")},
    )
