"""Remove an environment with the Jupyter kernels that run it, after consent."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import joined, message, plural
from torchdoctor.errors import NotConfirmed
from torchdoctor.install.remove import refuse_to_remove, remove_environment, size_on_disk
from torchdoctor.kernel import list_kernels
from torchdoctor.kernel.write import LOGOS, refuse_unwritable_destination, remove_spec

if TYPE_CHECKING:
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.kernel import KernelState

__all__ = ["RemoveResult", "run_remove"]


# What makes a kernel spec: https://jupyter-client.readthedocs.io/en/stable/kernels.html
_OF_A_SPEC = frozenset({"kernel.json", "kernel.js", "kernel.css", *LOGOS})


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveResult:
    """An environment, the bytes that become free, and the kernels that run it and are kept elsewhere."""

    folder: Path
    size: int
    kernels: tuple[KernelState, ...]
    removed: bool = False

    @property
    def summary(self) -> str:
        """What goes, as a part of a sentence."""
        size = f"{self.size / 1e6:,.1f} MB"
        if not self.kernels:
            return message("{folder} ({size})", folder=self.folder, size=size)
        names = joined([kernel.name for kernel in self.kernels])
        kernels = plural(
            len(self.kernels),
            message("the Jupyter kernel {names}", names=names),
            message("the Jupyter kernels {names}", names=names),
        )
        return message("{folder} ({size}) and {kernels}", folder=self.folder, size=size, kernels=kernels)

    def to_json(self) -> dict[str, Any]:
        """Return the document of `remove --json`."""
        return {
            "schema": 1,
            "environment": str(self.folder),
            "size": self.size,
            "kernels": [{"name": each.name, "folder": str(each.folder)} for each in self.kernels],
            "removed": self.removed,
        }


def run_remove(
    folder: Path, cache: Path, *, dry_run: bool, assume_yes: bool, system: System, report: Reporter
) -> RemoveResult:
    """Remove the virtual environment at `folder` and the kernels that run it; the cache of wheels stays.

    Raises `EnvironmentUnusable` for anything else than an environment, `NotConfirmed` where nobody agreed,
    `KernelFailed` and `InstallFailed` where the system refuses; nothing has changed then.
    """
    refuse_to_remove(folder)
    kernels = tuple(state for state in _kernels_of(folder, system))
    for kernel in kernels:
        refuse_unwritable_destination(kernel.folder)
        refuse_unwritable_destination(kernel.folder.parent)
    result = RemoveResult(folder=folder, size=size_on_disk(folder), kernels=kernels)
    if dry_run:
        return result
    if not assume_yes and not report.ask(message("Remove {what}?", what=result.summary), default=False):
        raise NotConfirmed(
            message("{folder} was not removed: nobody agreed", folder=folder),
            fix=message("answer y, or give --yes to agree beforehand"),
        )
    remove_environment(folder, cache / "locks")
    for kernel in kernels:
        remove_spec(kernel.folder)
    return replace(result, removed=True)


def _kernels_of(folder: Path, system: System) -> list[KernelState]:
    """The kernels that name its interpreter and are kept outside of it, but for folders with other files in them."""
    inside = folder.resolve()
    return [
        state
        for state in list_kernels(system, prefixes=[Path(sys.prefix)])
        if state.argv
        # A kernel that says only `python` runs whatever runs Jupyter.
        and Path(os.path.normpath(state.argv[0])).is_relative_to(folder)
        and not state.folder.resolve().is_relative_to(inside)
        and state.place != "nb_conda_kernels"
        and {path.name for path in state.folder.iterdir()} <= _OF_A_SPEC
    ]
