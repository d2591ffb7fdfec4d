"""The kernels of nb_conda_kernels: it makes them while Jupyter runs, so there is no spec that could be changed.

Names as it makes them: https://github.com/anaconda/nb_conda_kernels#readme
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.kernel.interpreter import (
    package_folders,
    package_version,
    python_in,
    torch_version_and_variant,
)
from torchdoctor.kernel.model import KernelState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.system import System

__all__ = ["conda_kernels"]


def conda_kernels(system: System, prefixes: Sequence[Path]) -> list[KernelState]:
    """Return a state for each conda environment with a Python kernel, if a Jupyter has nb_conda_kernels."""
    if not any(
        package_version(system, package_folders(system, prefix), "nb_conda_kernels") for prefix in prefixes
    ):
        return []
    home = system.environ.get("HOME") or system.environ.get("USERPROFILE") or str(Path.home())
    listed = (system.read_text(f"{home}/.conda/environments.txt") or "").splitlines()
    states = []
    for line in dict.fromkeys(line.strip() for line in listed if line.strip()):
        prefix = Path(line)
        python = python_in(system, prefix)
        specs = system.glob(f"{glob.escape(line)}/share/jupyter/kernels/python[23]/kernel.json")
        if python is None or not specs:
            continue
        folders = package_folders(system, prefix)
        torch, build = torch_version_and_variant(system, folders)
        name = prefix.name if prefix.parent.name == "envs" else "base"
        states.append(
            KernelState(
                name=f"conda-{'env-' if name != 'base' else ''}{name}-py".lower(),
                folder=Path(specs[0]).parent,
                place="nb_conda_kernels",
                display_name=f"Python [conda env:{name}]",
                language="python",
                argv=("python", "-m", "nb_conda_kernels.runner"),
                python=python,
                prefix=prefix,
                ipykernel=package_version(system, folders, "ipykernel"),
                torch=torch,
                build=build,
            )
        )
    return states
