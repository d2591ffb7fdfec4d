"""Pure readers of AMD's texts: a node of the KFD topology, rocminfo, amd-smi."""

from __future__ import annotations

import re

from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.model import AmdGpu

__all__ = ["parse_amd_smi", "parse_kfd_properties", "parse_rocminfo"]

_MAX_AGENTS = 1024


def parse_kfd_properties(text: str) -> tuple[str, str] | None:
    """Target and PCI device id in a node's properties, such as gfx1100 and 744c; None for a processor.

    `gfx_target_version` is major * 10000 + minor * 100 + stepping, the last two written in hexadecimal
    in the target's name: 90010 is gfx90a. https://docs.kernel.org/gpu/amdgpu/amd-hardware-list-info.html
    """
    rows = dict(re.findall(r"^(gfx_target_version|device_id) (\d{1,7})$", text, re.MULTILINE | re.ASCII))
    number = int(rows.get("gfx_target_version", 0))
    if not number:
        return None
    target = f"gfx{number // 10000}{number // 100 % 100:x}{number % 100:x}"
    return target, f"{int(rows.get('device_id', 0)):04x}"


def parse_rocminfo(text: str) -> tuple[AmdGpu, ...]:
    """Each agent of `rocminfo` whose device type is GPU."""
    gpus = []
    for block in re.split(r"^Agent \d+\s*$", text, flags=re.MULTILINE)[1 : _MAX_AGENTS + 1]:
        kind = re.search(r"^[ \t]+Device Type:\s+(\w+)", block, re.MULTILINE)
        target = re.search(r"^[ \t]+Name:\s+(gfx[0-9a-f]{3,6})\s*$", block, re.MULTILINE)
        name = re.search(r"^[ \t]+Marketing Name:[ \t]+(\S[^\n]{0,120})$", block, re.MULTILINE)
        # A report may leave lines out; a processor's name is never a target.
        if target and (kind is None or kind[1] == "GPU"):
            gpus.append(AmdGpu(name=sanitize_line(name[1]) or None if name else None, gfx=target[1]))
    return tuple(gpus)


def parse_amd_smi(text: str) -> tuple[AmdGpu, ...]:
    """Each GPU of `amd-smi static --asic`."""
    gpus = []
    for block in re.split(r"^GPU: \d+\s*$", text, flags=re.MULTILINE)[1 : _MAX_AGENTS + 1]:
        name = re.search(r"^[ \t]+MARKET_NAME:[ \t]+(\S[^\n]{0,120})$", block, re.MULTILINE)
        target = re.search(
            r"^[ \t]+TARGET_GRAPHICS_VERSION:[ \t]+(gfx[0-9a-f]{3,6})\s*$", block, re.MULTILINE
        )
        if name or target:
            shown = sanitize_line(name[1]) if name else ""
            gpus.append(
                AmdGpu(name=None if shown in ("", "N/A") else shown, gfx=target[1] if target else None)
            )
    return tuple(gpus)
