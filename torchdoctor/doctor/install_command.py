"""The command that installs into the environment that was checked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs.user_folders import full_path
from torchdoctor.core.shell_words import quoted

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp

__all__ = ["install_command"]


def install_command(check_up: CheckUp) -> str:
    """Return the command that changes this environment, or, where it should not be changed, one that makes another.

    The system's Python, conda's base and the environment that runs torchdoctor itself stay as they are.
    """
    prefix = check_up.python.prefix
    shared = check_up.inventory.kind.value in ("interpreter", "conda-base")
    if shared or full_path(prefix) == full_path(Path(sys.prefix)) or not str(prefix).isprintable():
        return "torchdoctor install"
    return f"torchdoctor install {quoted(str(prefix), windows=check_up.python.sys_platform == 'win32')}"
