"""What the ipykernel of an environment does for us: says whether it is there, and writes the kernel spec."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.system import host_system
from torchdoctor.errors import KernelFailed
from torchdoctor.kernel.spec import read_spec_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["KERNEL_REQUIREMENT", "create_spec_with_ipykernel", "has_ipykernel"]

# What a kernel needs in its environment, as a requirement line.
KERNEL_REQUIREMENT = "ipykernel>=6"

_TIMEOUT_SECONDS = 120.0


def has_ipykernel(python: Path, environ: Mapping[str, str]) -> bool:
    """Return whether the environment can run as a kernel and start one."""
    script = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    command = [str(python), "-I", "-c", script, "ipykernel", "jupyter_client"]
    return host_system(environ).run(command, timeout=_TIMEOUT_SECONDS).ok


def create_spec_with_ipykernel(python: Path, folder: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the kernel.json that the environment's own ipykernel writes into `folder`, as its version needs it.

    `folder` is `PREFIX/share/jupyter/kernels/NAME`. Raises `KernelFailed` when ipykernel does not write it.
    """
    prefix = str(folder.parents[3])
    command = [str(python), "-I", "-m", "ipykernel", "install", "--prefix", prefix, "--name", folder.name]
    completed = host_system(environ).run(command, timeout=_TIMEOUT_SECONDS)
    reason = completed.cause
    if completed.ok:
        try:
            return dict(json.loads(read_spec_text(folder / "kernel.json")))
        except (OSError, ValueError, TypeError) as error:
            reason = str(error)
    raise KernelFailed(
        message("the environment's ipykernel wrote no kernel spec: {why}", why=reason),
        fix=message("bring a newer one: {python} -m pip install --upgrade ipykernel", python=python),
    )
