"""`nvidia-smi -q`: its keys and values as facts; its words ("ECC Errors", "MIG Mode") say nothing by themselves."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_nvidia_smi_query", "without_smi_query"]

_BEGIN = re.compile(r"=+\s?NVSMI LOG\s?=+|\s{0,4}(?:Attached GPUs\s{2,}: \d|GPU [0-9A-F]{8}:[0-9A-F]{2}:)")
# A heading, or a key with its value behind at least one blank.
_LINE = re.compile(
    r"(?P<indent>\s{0,40})(?P<key>[A-Z][\w/ ().+-]{1,60}?)(?:\s{1,60}: ?(?P<value>.{0,200}))?$"
)
_MAX_GAP = 2
# Key -> fact; of a key that several headings have, the heading stands before it.
_FACTS = {
    "Driver Version": "nvidia.driver",
    "CUDA Version": "nvidia.cuda",
    "Product Name": "nvidia.gpu",
    "Compute Mode": "nvidia.compute_mode",
    "MIG Mode/Current": "nvidia.mig_mode",
    "GPU Recovery Action": "nvidia.recovery_action",
    "Virtualization Mode": "nvidia.virtualization",
    "License Status": "nvidia.license_status",
    "SRAM Uncorrectable Parity": "nvidia.ecc_uncorrectable",
    "SRAM Uncorrectable": "nvidia.ecc_uncorrectable",
    "DRAM Uncorrectable": "nvidia.ecc_uncorrectable",
    "Double Bit ECC": "nvidia.ecc_uncorrectable",
    "Remapping Failure Occurred": "nvidia.remap_failed",
    "Remapped Rows/Pending": "nvidia.remap_pending",
    "HW Slowdown": "nvidia.throttle",
    "HW Thermal Slowdown": "nvidia.throttle",
    "HW Power Brake Slowdown": "nvidia.throttle",
    "SW Thermal Slowdown": "nvidia.throttle",
}
_NOTHING = ("n/a", "none", "", "unknown error", "not found")


def parse_nvidia_smi_query(text: Text) -> Iterator[Observation]:
    """Yield facts of `nvidia-smi -q`, whole or cut."""
    heading = ""
    for index in _rows(text):
        line = text.lines[index]
        match = _LINE.match(line)
        if match is None:
            continue
        key, value = match["key"].strip(), match["value"]
        if value is None:
            heading = key
            continue
        name = _FACTS.get(key) or _FACTS.get(f"{heading}/{key}")
        if name and value.strip().lower() not in _NOTHING:
            yield Observation(name=name, value=value.strip(), source=line, line=text.numbers[index])


def without_smi_query(text: Text) -> Text:
    """Return the text with blanks for what `nvidia-smi -q` printed; positions stay."""
    rows = list(_rows(text))
    if not rows:
        return text
    ends = (*text.starts[1:], len(text.rows) + 1)
    parts: list[str] = []
    position = 0
    for index in rows:
        start, end = text.starts[index], ends[index] - 1
        parts += [text.rows[position:start], " " * (end - start)]
        position = end
    kept = "".join([*parts, text.rows[position:]])
    return replace(text, rows=kept, lower=kept.replace("\n", " "))


def _rows(text: Text) -> Iterator[int]:
    """Yield the indices of the lines between the first key and the last one."""
    if "Attached GPUs" not in text.flat and "NVSMI LOG" not in text.flat:
        return
    inside: list[int] = []
    gap = 0
    for index, line in enumerate(text.lines):
        if not inside and not _BEGIN.match(line):
            continue
        if _BEGIN.match(line) or _LINE.match(line):
            inside.append(index)
            gap = 0
        elif (gap := gap + 1) > _MAX_GAP:
            break
    yield from inside
