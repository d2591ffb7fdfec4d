"""Reads the two texts of nvidia-smi that people know: its table, and the list of `nvidia-smi -L`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.nvidia.gpu_state import GpuState, MigInstance

__all__ = ["ListedGpu", "SmiTable", "TableGpu", "parse_smi_list", "parse_smi_table"]

_MAX_GPUS: Final = 1024
_MAX_SLICES: Final = 64
_WIDTH: Final = 300
_HEAD = re.compile(
    r"NVIDIA-SMI\s+(\d[\d.]{2,15})\s+(?:KMD Version|Driver Version):\s*(\d[\d.]{2,15}|N/A)"
    r"(?:\s+CUDA(?: UMD)? Version:\s*(\d{1,2}\.\d{1,2}|N/A))?",
    re.ASCII,
)
# |   0  NVIDIA A100-SXM4-40GB          On  | 00000000:07:00.0 Off |                    0 |
_NAME = re.compile(
    r"\|\s+(\d{1,4})\s+(\S.*?)\s+(On|Off|WDDM|TCC|MCDM|N/A|ERR!)\s*\|"
    r"\s*([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9A-Fa-f]|N/A)\s+(?:On|Off|N/A|ERR!)\s*\|\s*(\S.*?)\s*\|"
)
# | N/A   33C    P0    66W / 400W |   1234MiB / 40960MiB |      0%      Default |
_LOAD = re.compile(
    r"\|\s*(?:\d+%|N/A|ERR!)\s+(\d+C|N/A|ERR!)\s+(?:P\d+|N/A|ERR!)\s+(\S+)\s*/\s*(\S+)\s*\|"
    r"\s*(?:(\d+)MiB\s*/\s*(\d+)MiB|[^|]*)\s*\|\s*(?:\d+%|N/A|ERR!)\s+(\S[^|]*?)\s*\|"
)
_MIG = re.compile(r"\|\s+\|\s+\|\s*(Enabled|Disabled)(\*?)\s*\|")
_MODES = {
    "Default": "default", "E. Thread": "exclusive-thread",
    "Prohibited": "prohibited", "E. Process": "exclusive-process",
}  # fmt: skip
_LISTED = re.compile(r"GPU (\d{1,4}): (\S[^\n]{0,120}?)(?:\s+\(UUID: ([^()]{1,60})\))?\s*")
_SLICE = re.compile(r"\s*(MIG \S+)\s+Device\s+\d+:(?:\s+\(UUID: (MIG-[\w/-]{1,120})\))?\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class TableGpu:
    """A row: the name, which the table may cut (`NVIDIA GeForce ...`), the memory in MiB, and the state."""

    name: str
    memory_mib: int | None
    state: GpuState


@dataclass(frozen=True, kw_only=True, slots=True)
class SmiTable:
    """The head's versions, and the GPUs. `cuda` is the newest CUDA that the driver speaks, not a toolkit."""

    driver: str | None
    cuda: str | None
    gpus: tuple[TableGpu, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedGpu:
    """A line of `nvidia-smi -L` and the MIG slices below it."""

    name: str
    uuid: str | None
    slices: tuple[MigInstance, ...] = ()


def parse_smi_table(text: str) -> SmiTable | None:
    """What `nvidia-smi` prints; None when it has no head. On a Jetson most of it is N/A."""
    head = _HEAD.search(text)
    if head is None:
        return None
    gpus: list[TableGpu] = []
    for raw_line in text[head.end() :].splitlines():
        line = raw_line.strip()[:_WIDTH]
        # The table of processes below has rows of another kind; none of them fits.
        if match := _NAME.fullmatch(line):
            gpus.append(_begin(match))
        elif gpus and (match := _LOAD.fullmatch(line)):
            gpus[-1] = _loaded(gpus[-1], match)
        elif gpus and (match := _MIG.fullmatch(line)):
            on = match[1] == "Enabled"
            state = replace(gpus[-1].state, mig=on, mig_pending=on is not bool(match[2]))
            gpus[-1] = replace(gpus[-1], state=state)
    driver, cuda = (None if cell == "N/A" else cell for cell in (head[2], head[3]))
    return SmiTable(driver=driver, cuda=cuda, gpus=tuple(gpus[:_MAX_GPUS]))


def _begin(match: re.Match[str]) -> TableGpu:
    _, name, persistence, bus_id, ecc = match.groups()
    state = GpuState(
        bus_id=None if bus_id == "N/A" else bus_id.upper(),
        persistence={"On": True, "Off": False}.get(persistence),
        ecc={"Off": False, "On": True}.get(ecc, True if ecc.isdecimal() else None),
        ecc_errors=_whole(ecc),
    )
    return TableGpu(name=sanitize_line(name), memory_mib=None, state=state)


def _loaded(gpu: TableGpu, match: re.Match[str]) -> TableGpu:
    heat, draw, limit, used, total, mode = match.groups()
    state = replace(
        gpu.state,
        temperature=_whole(heat.removesuffix("C")),
        power_draw=_watts(draw),
        power_limit=_watts(limit),
        memory_used=_whole(used or ""),
        compute_mode=_MODES.get(mode),
    )
    return replace(gpu, memory_mib=_whole(total or "") or None, state=state)


def _whole(cell: str) -> int | None:
    return int(cell) if re.fullmatch(r"\d{1,9}", cell, re.ASCII) else None


def _watts(cell: str) -> float | None:
    watts = _whole(cell.removesuffix("W"))
    return None if watts is None else float(watts)


def parse_smi_list(text: str) -> tuple[ListedGpu, ...]:
    """What `nvidia-smi -L` prints; lines of another kind are passed over."""
    gpus: list[ListedGpu] = []
    for raw_line in text.splitlines():
        line = raw_line[:_WIDTH]
        if match := _LISTED.fullmatch(line):
            uuid = match[3] if re.fullmatch(r"GPU-[\w-]{1,60}", match[3] or "", re.ASCII) else None
            gpus.append(ListedGpu(name=sanitize_line(match[2]), uuid=uuid))
        elif gpus and len(gpus[-1].slices) < _MAX_SLICES and (match := _SLICE.fullmatch(line)):
            name = sanitize_line(f"{gpus[-1].name} {match[1]}")
            part = MigInstance(gpu=len(gpus) - 1, name=name, uuid=match[2])
            gpus[-1] = replace(gpus[-1], slices=(*gpus[-1].slices, part))
        if len(gpus) >= _MAX_GPUS:
            break
    return tuple(gpus)
