"""What nvidia-smi, the kernel module's version file and rocminfo print: drivers, GPUs, modes, memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_nvidia_smi"]

_HEAD = re.compile(r"Driver Version\s?:\s?(?P<value>\d{2,3}\.\d{1,3}(?:\.\d{1,3})?)", re.IGNORECASE)
_CUDA = re.compile(r"CUDA (?:UMD )?Version\s?:\s?(?P<value>\d{1,2}\.\d|ERR!|N/A)")
_MODULE = re.compile(r"NVRM version:.{0,80}?Kernel Module\D{0,40}(?P<value>\d{3}\.\d{1,3}(?:\.\d{1,3})?)")
# What the package manager lists of the driver's packages, and what NVML says of itself.
_LIBRARY = re.compile(
    r"(?:NVML library version: "
    r"|\b(?:libnvidia-(?:compute|gl|cfg1|common)|nvidia-(?:driver|utils))-\d{3}\S{0,20}\s{1,40})"
    r"(?P<value>\d{3}\.\d{1,3}(?:\.\d{1,3})?)(?![.\d])"
)
_ROW = re.compile(
    r"^[|\s]{1,6}\d{1,3}\s{1,4}(?:N/A\s)?(?P<value>[A-Z][\w ./()-]{3,44}?\.{0,3})\s{1,"
    r"30}(?:Off|On|WDDM|TCC|N/A)\b"
)
_LISTED = re.compile(r"^\s{0,8}GPU \d{1,3}: (?P<value>.{3,60}?) \(UUID: GPU-")
_SLICE = re.compile(r"^\s{0,8}MIG (?P<value>\d{1,2}g\.\d{1,3}gb)")
_MEMORY = re.compile(r"(?P<used>\d{1,6})MiB\s{0,3}/\s{0,3}(?P<total>\d{1,7})MiB")
_GFX = re.compile(r"\b(?P<value>gfx[0-9]{1,2}[0-9a-f]{2})\b")
_MODES = re.compile(
    r"\|\s{0,40}(?:\d{1,3}%|N/A|ERR!)?\s{0,12}(?P<value>Default|E\. Process|E\. Thread"
    r"|Prohibited|Exclusive_Process)\s{0,4}\|"
)
_CAPABILITY = re.compile(
    r"(?:compute capability|capability|compute_cap|cuda capability)\W{0,4}(?:of |is "
    r")?(?P<value>\d{1,2}\.\d)\b",
    re.IGNORECASE,
)
# `nvcc --version`, also inside mmcv's and detectron2's reports.
_NVCC = re.compile(r"Cuda compilation tools, release (?P<value>\d{1,2}\.\d)")
# What a post tells of it: nvcc --version is 10.0, nvcc: 11.8.
_NVCC_TOLD = re.compile(
    r"\bnvcc(?: -{1,2}v(?:ersion)?| version)?[`'\")]{0,2}\s?(?:is|shows|says|gives|prints|=|:)\s?"
    r"(?:cuda |version ){0,2}"
    r"(?P<value>\d{1,2}\.\d)\b(?!\.\d*\.)",
    re.IGNORECASE,
)
# torch.__config__.show(), also inside the reports of mmcv and detectron2.
_RUNTIME = re.compile(r"^[ \t]{0,40}- CUDA Runtime (?P<value>\d{1,2}\.\d)")
_SUPPORTED = re.compile(r"\(found version (?P<number>\d{4,5})\)", re.IGNORECASE)
_REFUSED = re.compile(
    r"(?:cuda capability|\b(?:no|without|lacks?|misses|missing|dropp?(?:s|ed)?|not have(?: "
    r"any)?|not (?:contain|include|ship|support|cover))) sm_(?P<sm>\d{2,3})a?\b",
    re.IGNORECASE,
)

# torch's warning ends so; its first line is often left out of a post.
_UNFIT = re.compile(r"want to use the (?P<value>.{3,60}?)(?: GPU) with PyTorch")

# (words one of which the line must have, pattern, fact)
_TABLE = (
    (("Driver Version",), _HEAD, "nvidia.driver"),
    (("NVRM version",), _MODULE, "nvidia.driver"),
    (("NVRM version",), _MODULE, "nvidia.module"),
    (("NVML library", "nvidia-"), _LIBRARY, "nvidia.library"),
    (("CUDA Version", "CUDA UMD Version"), _CUDA, "nvidia.cuda"),
    (("Cuda compilation tools",), _NVCC, "cuda.toolkit"),
    (("nvcc",), _NVCC_TOLD, "cuda.toolkit"),
    (("CUDA Runtime",), _RUNTIME, "torch.cuda"),
    (("want to use the",), _UNFIT, "nvidia.gpu"),
    (("MIG ",), _SLICE, "nvidia.mig"),
    (("UUID",), _LISTED, "nvidia.gpu"),
    (("|",), _ROW, "nvidia.gpu"),
    (("|",), _MODES, "nvidia.compute_mode"),
    (("gfx",), _GFX, "amd.gfx"),
    (("apability", "compute_cap"), _CAPABILITY, "nvidia.capability"),
)


def parse_nvidia_smi(text: Text) -> Iterator[Observation]:
    """Yield facts of nvidia-smi's table and list, even incomplete, of /proc/driver/nvidia/version, and AMD targets."""
    # Most texts have few of the words; patterns without theirs are skipped.
    table = tuple(row for row in _TABLE if any(word in text.flat for word in row[0]))
    for number, line in zip(text.numbers, text.lines, strict=True):
        for name, value in _line(line, table):
            yield Observation(name=name, value=value, source=line, line=number)


def _line(
    line: str, table: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...]
) -> Iterator[tuple[str, str]]:
    for words, pattern, name in table:
        if any(word in line for word in words):
            for match in pattern.finditer(line):
                yield name, match["value"].strip()
    if "MiB" in line and (memory := _MEMORY.search(line)):
        yield "nvidia.memory", f"{memory['used']}/{memory['total']}"
    if "ound version " in line and (supported := _SUPPORTED.search(line)):
        number = int(supported["number"])
        yield "nvidia.cuda", f"{number // 1000}.{number % 1000 // 10}"
    if "sm_" in line and (refused := _REFUSED.search(line)):
        yield "nvidia.capability", f"{refused['sm'][:-1]}.{refused['sm'][-1]}"
