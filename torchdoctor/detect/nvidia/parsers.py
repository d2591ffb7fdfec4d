"""Pure readers of what NVIDIA's witnesses say: NVML's answer, the kernel's files, nvidia-smi."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.text import read_object, sanitize_line
from torchdoctor.detect.model import NvidiaGpu

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "NvmlAnswer",
    "SmiAnswer",
    "parse_kernel_module",
    "parse_module_kind",
    "parse_nvml",
    "parse_proc_version",
    "parse_smi",
    "parse_smi_refusal",
]

_DRIVER = re.compile(r"\d{2,4}(\.\d{1,4}){1,3}", re.ASCII)
_CAPABILITY = re.compile(r"\d{1,2}\.\d", re.ASCII)
_GPU_LIMIT = 1024
_MIB = 1 << 20
# What drivers write where they have no answer: N/A, [N/A], [Not Supported], [Insufficient Permissions] …
_NOTHING = re.compile(r"|N/A|\[[\w /]{1,60}\]", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class NvmlAnswer:
    """NVML's driver version and GPUs, or the name of its error; `detail` is for people.

    `cuda` is the newest CUDA that the driver speaks; `lost` has why a GPU did not answer.
    """

    driver: str | None = None
    cuda: str | None = None
    gpus: tuple[NvidiaGpu, ...] = ()
    lost: tuple[str, ...] = ()
    error: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SmiAnswer:
    """What a query of nvidia-smi says; there is at least one GPU."""

    driver: str
    gpus: tuple[NvidiaGpu, ...]


def parse_nvml(text: str) -> NvmlAnswer:
    """Read the line that the NVML process prints; ValueError when it is not that."""
    said = read_object(text)
    detail = said.get("detail")
    if said.get("error") is not None:
        return NvmlAnswer(error=str(said["error"])[:80], detail=str(detail or said["error"])[:300])
    rows = said.get("gpus")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it has no list of GPUs")
    lost = [str(row["error"])[:200] for row in rows if row.get("error")]
    gpus = tuple(_nvml_gpu(row) for row in rows[:_GPU_LIMIT] if not row.get("error"))
    return NvmlAnswer(
        driver=_driver(said.get("driver")),
        cuda=_cuda(said.get("cuda")),
        gpus=gpus,
        lost=tuple(map(sanitize_line, lost[:_GPU_LIMIT])),
        detail="; ".join(lost[:3]),
    )


def _cuda(value: Any) -> str | None:
    """12040 is 12.4."""
    return f"{value // 1000}.{value % 1000 // 10}" if type(value) is int and 1000 <= value < 100_000 else None  # noqa: PLR2004


def _nvml_gpu(row: dict[str, Any]) -> NvidiaGpu:
    capability, memory = row.get("capability"), row.get("memory")
    dotted = ".".join(map(str, capability)) if isinstance(capability, list) else ""
    return NvidiaGpu(
        name=_name(row.get("name")),
        compute_capability=dotted if _CAPABILITY.fullmatch(dotted) else None,
        memory_mib=memory // _MIB or None if type(memory) is int and memory > 0 else None,
    )


def parse_kernel_module(text: str) -> str | None:
    """Read /sys/module/nvidia/version: the version and nothing else."""
    return _driver(text.strip())


def parse_proc_version(text: str) -> str | None:
    """Read the `NVRM version` line of /proc/driver/nvidia/version, of the closed and of the open module."""
    match = re.search(r"^NVRM version:.*?Kernel Module.*?\s(\d\S+)\s", text, re.MULTILINE)
    return _driver(match[1]) if match else None


def parse_module_kind(text: str) -> str | None:
    """Whether /proc/driver/nvidia/version speaks of the `open` or the `proprietary` kernel module."""
    match = re.search(r"^NVRM version:.{0,80}?\b(Open )?Kernel Module\b", text, re.MULTILINE)
    return None if match is None else "open" if match[1] else "proprietary"


def parse_smi(text: str, fields: Sequence[str]) -> SmiAnswer:
    """Read `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`; ValueError when it is anything else."""
    # No name of a GPU has a comma in it, and nvidia-smi would not quote it.
    rows = [line.split(",") for line in text.splitlines() if line.strip()]
    if not rows or len(rows) > _GPU_LIMIT:
        raise ValueError(f"{len(rows)} lines")
    gpus, drivers = [], set()
    for row in rows:
        if len(row) != len(fields):
            raise ValueError(f"{','.join(row)[:80]!r}")
        cells = dict(zip(fields, map(str.strip, row), strict=True))
        drivers.add(cells["driver_version"])
        gpus.append(_smi_gpu(cells))
    driver = _driver(drivers.pop()) if len(drivers) == 1 else None
    if driver is None:
        raise ValueError("no driver version in it")
    return SmiAnswer(driver=driver, gpus=tuple(gpus))


def _smi_gpu(cells: dict[str, str]) -> NvidiaGpu:
    return NvidiaGpu(
        name=_name(cells["name"]),
        compute_capability=_cell(cells.get("compute_cap", ""), _CAPABILITY),
        memory_mib=int(_cell(cells["memory.total"], re.compile(r"\d{1,9}", re.ASCII)) or 0) or None,
    )


def parse_smi_refusal(text: str) -> str | None:
    """The sentence with which nvidia-smi says that it cannot work; None when there is none."""
    # Text in the wild: "Failed to initialize NVML: Driver/library version mismatch",
    # "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure …",
    # "No devices were found", "Unable to determine the device handle for GPU 0000:0A:00.0: Unknown Error".
    starts = (
        "Failed to initialize NVML",
        "NVIDIA-SMI has failed",
        "NVIDIA-SMI couldn't find libnvidia-ml",
        "No devices were found",
        "Unable to determine",
    )
    for line in text.splitlines():
        if line.strip().startswith(starts):
            return line.strip()[:300]
    return None


def _driver(value: Any) -> str | None:
    return value if isinstance(value, str) and _DRIVER.fullmatch(value) else None


def _cell(value: str, pattern: re.Pattern[str]) -> str | None:
    """The cell, None where the driver says that it has no answer; ValueError for anything else."""
    if _NOTHING.fullmatch(value):
        return None
    if not pattern.fullmatch(value):
        raise ValueError(f"{value[:40]!r}")
    return value


def _name(value: Any) -> str:
    """A name that is safe to print and to write as JSON."""
    if not isinstance(value, str):
        raise ValueError("a GPU has no name")  # noqa: TRY004
    name = sanitize_line(value)
    if _NOTHING.fullmatch(name):
        raise ValueError("a GPU has no name")
    return name
