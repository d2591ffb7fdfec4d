"""What a kernel is asked to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["KernelRequest"]


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelRequest:
    """A kernel to register."""

    name: str
    display_name: str | None = None  # what a menu shows; None: made from torch's version
    overwrite: bool = False  # replace a kernel of that name that runs something else
    sys_prefix: bool = False  # write the spec into the kernel's own environment
    prefix: Path | None = None  # write the spec into this environment; else into the user's folder
    settings: Mapping[str, str] | None = None  # variables that the kernel sets
