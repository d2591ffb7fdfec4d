"""AMD's compute GPUs by the kernel's KFD topology, and the version of its driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.machine.fact import Fact, absent, found, unknown
from torchdoctor.machine.model import AmdGpu
from torchdoctor.machine.pci import AMD, listed_name

if TYPE_CHECKING:
    from torchdoctor.machine.seam import World

__all__ = ["parse_kfd_properties", "probe_amd", "probe_amd_driver"]

_NODES = "/sys/class/kfd/kfd/topology/nodes"


def probe_amd(world: World) -> Fact[tuple[AmdGpu, ...]]:
    """Each node of the topology that has compute units; node 0 is the processor."""
    paths = world.glob(f"{_NODES}/*/properties")
    if not paths:
        return absent(_NODES)
    texts = [text for text in map(world.read_text, paths) if text is not None]
    if not texts:
        return unknown("no node can be read", _NODES)
    nodes = [node for node in map(parse_kfd_properties, texts) if node is not None]
    gpus = tuple(AmdGpu(name=listed_name(world, AMD, device), gfx=gfx) for gfx, device in nodes)
    return found(gpus, _NODES) if gpus else absent(_NODES, why="no node has a GPU")


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


def probe_amd_driver(world: World) -> Fact[str]:
    """The version of AMD's own driver package; the kernel's amdgpu has none."""
    path = "/sys/module/amdgpu/version"
    text = world.read_text(path)
    if text is None:
        return absent(path)
    match = re.fullmatch(r"\d{1,4}(\.\d{1,6}){1,3}", text.strip(), re.ASCII)
    return found(match[0], path) if match else unknown(f"it says {text.strip()[:60]!r}", path)
