"""GPUs that a variable hides, and memory that other processes hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["gpu_memory_used_above", "other_processes_hold_memory", "variable_hides_gpu"]

# torch's words for the memory of a GPU: up to 2.0, and since.
_ROOM = (
    re.compile(
        r"(?P<total>[\d.]+ [gm]ib) total capacity; [\d.]+ [gm]ib already allocated; "
        r"(?P<free>[\d.]+ [gm]ib) free; "
        r"(?P<own>[\d.]+ [gm]ib) reserved"
    ),
    re.compile(
        r"total capacity of (?P<total>[\d.]+ [gm]ib) of which (?P<free>[\d.]+ [gm]ib) is "
        r"free\.[^\n]{0,400}?"
        r"this process has (?P<own>[\d.]+ [gm]ib) memory in use"
    ),
)


def variable_hides_gpu(case: Evidence) -> Match | None:
    """The variable is empty, -1, or names an index that no GPU has."""
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"):
        for row in case.observations(f"env.{name}"):
            if row.value.strip("'\" ") in ("", "-1", "NoDevFiles", "none", "void"):
                return Match(evidence=(source(row),))
            count = len(
                [
                    line
                    for line in case.text.lines
                    if re.match(r"\s*(?:GPU \d+: |\|\s+\d+\s+(?:NVIDIA|Tesla|GeForce))", line)
                ]
            )
            wanted = (
                [int(text) for text in re.findall(r"\d+", row.value)]
                if re.fullmatch(r"[\d, ]+", row.value)
                else []
            )
            if count and wanted and max(wanted) >= count:
                return Match(evidence=(source(row),))
    return None


def gpu_memory_used_above(case: Evidence, *, share: float) -> Match | None:
    """More than this share (0 to 1) of a GPU's memory is in use according to nvidia-smi."""
    for memory in case.observations("nvidia.memory"):
        used, _, total = memory.value.partition("/")
        if int(total) and int(used) / int(total) > share:
            return Match(evidence=(source(memory),))
    return None


def other_processes_hold_memory(case: Evidence) -> Match | None:
    """Of the GPU's memory, a third or more is neither free nor this process's."""
    for position in case.text.find("total capacity"):
        part = case.text.lower[max(0, position - 40) : position + 600].replace("\n", " ")
        for row in _ROOM:
            if match := row.search(part):
                total, free, own = (_mebibytes(match[name]) for name in ("total", "free", "own"))
                if total - free - own > total / 3:
                    return Match(evidence=(case.text.line_at(position)[1].strip()[:300],))
    return None


def _mebibytes(text: str) -> float:
    number, unit = text.split()
    try:
        return float(number) * (1024 if unit == "gib" else 1)
    except ValueError:
        return 0.0
