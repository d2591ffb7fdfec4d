"""What the cells of a kernel answered, and how long each may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALL_CELLS", "CellLimits", "CellSession"]

# In the order in which they run; `_client_script.py` has their code.
ALL_CELLS = ("python", "import", "device", "tensor")


@dataclass(frozen=True, kw_only=True, slots=True)
class CellLimits:
    """Time limits of a session."""

    start: float = 90.0  # seconds until the kernel has answered that it is a Python kernel
    cell: float = 180.0  # seconds for each cell


@dataclass(frozen=True, kw_only=True, slots=True)
class CellSession:
    """The course of a session: the answers of the cells that ran, and the first failure.

    `failed_at` is "start" or the name of a cell. `kind` of the failure is start, died, silent, garbage, not-python,
    cell, or lost when the process that started the kernel did not answer; `detail` describes it.
    """

    answers: Mapping[str, Mapping[str, Any]]  # by cell
    seconds: Mapping[str, float]  # by cell, and of "start"
    failed_at: str | None = None
    kind: str | None = None
    detail: str = ""
    output: tuple[str, ...] = ()  # the last lines that the kernel's process printed
