"""What `uv pip install --torch-backend=auto` would ask for: uv's own answer, without the network.

https://docs.astral.sh/uv/guides/integration/pytorch/#automatic-backend-selection
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.system.uv import UvResult, uv_failed, uv_log_of
from torchdoctor.core.text import sanitize_line
from torchdoctor.lock.target import target_of
from wheels_index import newest_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.detect import Machine

__all__ = ["uv_families"]

_SECONDS = 30.0
# What uv logs of each index that it asks, with `RUST_LOG` for its client.
_INDEX_PAGE = re.compile(r"GET request for: https://download\.pytorch\.org/whl/([a-z0-9.]{2,12})/torch/")


def uv_families(machine: Machine, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the families of builds (`cu130`) whose indexes uv would ask for torch on a machine.

    The newest comes first, as uv has it. uv looks at the driver alone, or at the AMD target, and is told those of
    `machine`. None are returned for a machine without either, since uv would look at this one.

    Raises `NoSolution` for a machine that uv has no name for, and `InstallFailed` where uv is not there, does not end
    in time, or names no index.
    """
    seen = _hardware(machine)
    if not seen:
        return ()
    # Its families do not depend on the Python, and it has no name for a free-threaded one of another machine.
    target = target_of(replace(machine, python=replace(machine.python, free_threaded=False)))
    with tempfile.TemporaryDirectory(prefix="torchdoctor-uv-") as name:
        folder = Path(name)
        asked = folder / "requirements.in"
        asked.write_text("torch\n", "utf-8")
        arguments: tuple[str | Path, ...] = (
            "pip", "compile", asked, "--offline", "--no-config", "--torch-backend", "auto",
            "--python", sys.executable, *target.options, "--cache-dir", folder / "cache",
        )  # fmt: skip
        log = uv_log_of(arguments, environ={**environ, **target.environ, **seen}, limit=_SECONDS)
    # It asks several at a time: the lines may be out of the order in which it prefers them, the newest first.
    families = tuple(newest_first(dict.fromkeys(_INDEX_PAGE.findall(log))))
    if not families:
        _, error, why = log.rpartition("error: ")
        raise uv_failed(sanitize_line(UvResult(status=1, stderr=error + why).cause) or "?")
    return families


def _hardware(machine: Machine) -> dict[str, str]:
    """The variables by which uv is told of a driver and of a target instead of looking at this machine."""
    driver = machine.nvidia.driver if machine.nvidia is not None else None
    if driver is not None:
        return {"UV_CUDA_DRIVER_VERSION": driver}
    targets = [card.gfx for card in machine.amd.gpus if card.gfx] if machine.amd is not None else []
    return {"UV_AMD_GPU_ARCHITECTURE": targets[0]} if targets else {}
