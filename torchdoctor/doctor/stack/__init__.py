"""What was asked for besides torch, and what requires torch: judged by files and metadata, nothing imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.doctor.stack.inspection import inspect_stack
    from torchdoctor.doctor.stack.model import ProblemKind, StackProblem, StackState

__all__ = ["ProblemKind", "StackProblem", "StackState", "inspect_stack"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {"inspection": ("inspect_stack",), "model": ("ProblemKind", "StackProblem", "StackState")},
    )
