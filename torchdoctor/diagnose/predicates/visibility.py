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
        r"(?P<total>[\d.]{1,12} [gm]ib) total capacity; [\d.]{1,12} [gm]ib already allocated; "
        r"(?P<free>[\d.]{1,12} [gm]ib) free; "
        r"(?P<own>[\d.]{1,12} [gm]ib) reserved"
    ),
    re.compile(
        r"total capacity of (?P<total>[\d.]{1,12} [gm]ib) of which (?P<free>[\d.]{1,12} [gm]ib) is "
        r"free\.[^\n]{0,400}?"
        r"this process has (?P<own>[\d.]{1,12} [gm]ib) memory in use"
    ),
)
# A GPU in the list or the table of nvidia-smi.
_GPU_LINE = re.compile(r"\s*(?:GPU \d+: |\|\s+\d+\s+(?:NVIDIA|Tesla|GeForce))")


def variable_hides_gpu(evidence: Evidence) -> Match | None:
    """The variable is empty, -1, a word that stands for no GPU, or names an index that no GPU has."""
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"):
        for variable in evidence.observations(f"env.{name}"):
            if variable.value.strip("'\" ") in ("", "-1", "NoDevFiles", "none", "void", "all"):
                return Match(evidence=(source(variable),))
            count = sum(1 for line in evidence.text.lines if _GPU_LINE.match(line))
            is_list = re.fullmatch(r"[\d, ]+", variable.value)
            wanted = [int(text) for text in re.findall(r"\d+", variable.value)] if is_list else []
            if count and wanted and max(wanted) >= count:
                return Match(evidence=(source(variable),))
    return None


def gpu_memory_used_above(evidence: Evidence, *, share: float) -> Match | None:
    """More than this share (0 to 1) of a GPU's memory is in use according to nvidia-smi."""
    for memory in evidence.observations("nvidia.memory"):
        used, _, total = memory.value.partition("/")
        if int(total) and int(used) / int(total) > share:
            return Match(evidence=(source(memory),))
    return None


def other_processes_hold_memory(evidence: Evidence) -> Match | None:
    """More than a third of the GPU's memory is neither free nor in use by this process.

    Up to a gibibyte of it is what CUDA and the desktop take on a small card.
    """
    for position in evidence.text.find("total capacity"):
        part = evidence.text.lower[max(0, position - 40) : position + 600].replace("\n", " ")
        for pattern in _ROOM:
            if match := pattern.search(part):
                total, free, own = (_mebibytes(match[name]) for name in ("total", "free", "own"))
                if total - free - own > max(total / 3, 1024):
                    return Match(evidence=(evidence.text.line_at(position)[1].strip()[:300],))
    return None


def _mebibytes(text: str) -> float:
    number, unit = text.split()
    try:
        return float(number) * (1024 if unit == "gib" else 1)
    except ValueError:
        return 0.0
