"""Which environment a kernel belongs to: one of another environment is told of, and neither judged nor changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchdoctor.kernel.model import KernelState

__all__ = ["belongs_to"]


def belongs_to(kernel: KernelState, prefix: Path) -> bool:
    """Whether the kernel runs the Python of the environment at `prefix`, or did, or its spec lies in there."""
    own = Path(os.path.normpath(prefix))
    if kernel.prefix is not None:
        return Path(os.path.normpath(kernel.prefix)) == own
    program = Path(os.path.normpath(kernel.argv[0])) if kernel.argv else None
    places = [kernel.folder, *([program] if program is not None and program.is_absolute() else [])]
    return any(Path(os.path.normpath(place)).is_relative_to(own) for place in places)
