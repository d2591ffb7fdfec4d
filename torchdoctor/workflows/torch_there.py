"""The packages of an environment that must have torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.location import interpreter_of
from torchdoctor.inventory.installed import read_installed
from torchdoctor.inventory.interpreter_files import look_at_python

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.inventory.installed import Installed

__all__ = ["installed_with_torch"]


def installed_with_torch(folder: Path, system: System, *, reading: bool) -> Installed:
    """Return what is installed in the environment at `folder`; raises `EnvironmentUnusable` where there is no torch.

    `reading`: nothing of the environment runs.
    """
    look = look_at_python if reading else describe_python
    python = look(system, interpreter_of(folder))
    installed = read_installed(python.site_packages)
    if installed.named("torch") is None:
        raise EnvironmentUnusable(
            message("{folder} has no torch", folder=folder),
            fix=message("install one: torchdoctor install {folder}", folder=quoted(str(folder))),
            code="no-torch",
        )
    return installed
