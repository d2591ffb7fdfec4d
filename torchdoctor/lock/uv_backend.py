"""What `uv pip install --torch-backend=auto` would ask for: uv's own answer, without the network.

https://docs.astral.sh/uv/guides/integration/pytorch/#automatic-backend-selection
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.system.uv import uv_log_of
from wheels_index import newest_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.detect import Machine

__all__ = ["uv_families"]

_SECONDS = 30.0
# What uv logs of each index that it asks, with `RUST_LOG` for its client.
_INDEX_PAGE = re.compile(r"GET request for: https://download\.pytorch\.org/whl/([a-z0-9.]{2,12})/torch/")
_PLATFORMS = {
    "linux_x86_64": "x86_64-manylinux_2_28",
    "linux_aarch64": "aarch64-manylinux_2_28",
    "windows_x86_64": "x86_64-pc-windows-msvc",
    "macos_arm64": "aarch64-apple-darwin",
    "macos_x86_64": "x86_64-apple-darwin",
}


def uv_families(machine: Machine, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the families of builds (`cu130`) whose indexes uv would ask for torch on a machine.

    The newest comes first, as uv has it. uv looks at the driver alone, or at the AMD target, and is told those of
    `machine`. None are returned for a machine without either, since uv would look at this one, and for a platform
    that uv has no name for.

    Raises `InstallFailed` where uv is not there or does not end in time.
    """
    seen = _hardware(machine)
    platform = _PLATFORMS.get(machine.platform or "")
    if not seen or platform is None:
        return ()
    with tempfile.TemporaryDirectory(prefix="torchdoctor-uv-") as name:
        folder = Path(name)
        asked = folder / "requirements.in"
        asked.write_text("torch\n", "utf-8")
        arguments = (
            "pip", "compile", asked, "--offline", "--no-config", "--torch-backend", "auto",
            "--python", sys.executable, "--python-version", machine.python.version, "--python-platform", platform,
            "--cache-dir", folder / "cache",
        )  # fmt: skip
        log = uv_log_of(arguments, environ={**environ, **seen}, limit=_SECONDS)
    # It asks several at a time: the lines may be out of the order in which it prefers them, the newest first.
    return tuple(newest_first(dict.fromkeys(_INDEX_PAGE.findall(log))))


def _hardware(machine: Machine) -> dict[str, str]:
    """The variables by which uv is told of a driver and of a target instead of looking at this machine."""
    driver = machine.nvidia.driver if machine.nvidia is not None else None
    if driver is not None:
        return {"UV_CUDA_DRIVER_VERSION": driver}
    targets = [card.gfx for card in machine.amd.gpus if card.gfx] if machine.amd is not None else []
    return {"UV_AMD_GPU_ARCHITECTURE": targets[0]} if targets else {}
