"""What is wrong with the packages beside torch, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ProblemKind", "StackProblem", "StackState"]

ProblemKind = Literal[
    "asked-missing",  # asked for, and not installed
    "asked-version",  # installed in a version that was not asked for
    "requirement-missing",  # required by another package, and not installed
    "requirement-version",  # installed in a version that another package does not allow
    "extension",  # built for another torch, so that it cannot be imported
    "extension-cuda",  # built for a CUDA that torch is not, so that it cannot be imported
    "extension-part",  # built for another torch or CUDA, so that a part of it does not work
    "python",  # compiled for another Python
]


@dataclass(frozen=True, kw_only=True, slots=True)
class StackProblem:
    """One thing that is wrong: `package` is affected, `requirement` is the line that would put it right."""

    kind: ProblemKind
    package: str
    requirement: str
    description: str  # a sentence for people


@dataclass(frozen=True, kw_only=True, slots=True)
class StackState:
    """The packages beside torch: those that were `asked` for, how many were `judged`, and what is wrong."""

    asked: tuple[str, ...] = ()
    judged: int = 0
    problems: tuple[StackProblem, ...] = ()
