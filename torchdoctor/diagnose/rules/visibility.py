"""GPUs that a program may not see or use: variables, slices, modes, memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import (
    Match,
    all_of,
    any_of,
    certain,
    contains,
    fact,
    hint,
    likely,
    no,
    possible,
    predicate,
    source,
)
from torchdoctor.diagnose.rule import Layer, Rule, Step
from torchdoctor.diagnose.rules.symptoms import IN_CONTAINER, IN_WSL, NO_CUDA_DEVICE

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.diagnose.matchers import Predicate

__all__ = ["RULES"]

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
HIDDEN_BY_CODE = contains(
    "cuda_visible_devices",
    matching=(
        r"cuda_visible_devices['\"\]]{0,3}\s?[=:]\s?(?:['\"](?:-1|\d+(?:,\d+)*|nodevfiles|)['\"]"
        r"|-1\b|[1-9]\d?\b|$)|(?:set|export|unset|wrong|empty|remove|removing|because of|due to) "
        r"(?:the )?cuda_visible_devices"
    ),
)


def _hidden(case: Evidence) -> Match | None:
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


def _memory_used(share: float) -> Predicate:
    """A test: more than this share of a GPU's memory is used according to nvidia-smi."""

    def look(case: Evidence) -> Match | None:
        for row in case.observations("nvidia.memory"):
            used, _, total = row.value.partition("/")
            if int(total) and int(used) / int(total) > share:
                return Match(evidence=(source(row),))
        return None

    return look


def _others_hold(case: Evidence) -> Match | None:
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


RULES = (
    Rule(
        id="cuda-visible-devices-wrong",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="CUDA_VISIBLE_DEVICES hides the GPU, or an index names one that is not there",
        explanation=(
            "The variable is empty, -1, holds an index that this machine does not have, or code "
            "asks for a device that it leaves no place for. Scripts often carry the index of "
            "their author's machine."
        ),
        signs=(
            certain(predicate(_hidden)),
            likely(contains("no cuda gpus are available", "no hip gpus are available")),
            likely(contains("invalid device ordinal", "invalid device id", "cudaerrorinvaliddevice")),
            likely(
                contains(
                    "attempting to deserialize object on cuda device",
                    matching=r"on cuda device \d+ but torch\.cuda\.device_count\(\) is \d",
                )
            ),
            likely(
                all_of(
                    HIDDEN_BY_CODE,
                    any_of(
                        fact("cuda.available", "false"),
                        contains("is_available"),
                        NO_CUDA_DEVICE,
                        contains("no cuda"),
                        contains("device_count"),
                    ),
                )
            ),
            possible(all_of(NO_CUDA_DEVICE, HIDDEN_BY_CODE)),
            hint(all_of(NO_CUDA_DEVICE, no(IN_WSL), no(IN_CONTAINER))),
            hint(HIDDEN_BY_CODE),
        ),
        unless=(
            contains("system not yet initialized"),
            contains("mig-", matching=r"mig-(?:gpu-)?[0-9a-f]{6}"),
            contains("gpu access blocked"),
        ),
        steps=(
            Step(
                text="Look at the variable, and start without it:",
                command="unset CUDA_VISIBLE_DEVICES",
                os=("linux",),
            ),
            Step(
                text="Remove the variable, in this PowerShell:",
                command="Remove-Item Env:CUDA_VISIBLE_DEVICES",
                os=("windows",),
            ),
            Step(
                text=(
                    "Look for `os.environ['CUDA_VISIBLE_DEVICES']`, `device_ids` and `cuda:1` in "
                    "the code; indices count from 0 among the visible GPUs."
                )
            ),
        ),
        os=("linux", "windows"),
        find=(
            '`nvidia-smi -L` lists the GPUs; `python -c "import os; '
            "print(os.environ.get('CUDA_VISIBLE_DEVICES'))\"` what is left of them."
        ),
    ),
    Rule(
        id="mig-not-selected",
        layer=Layer.ENVIRONMENT,
        severity="error",
        title="The GPU is split (MIG), and no slice is chosen",
        explanation=(
            "With MIG on, a process sees one slice, named by its UUID. Plain indices and several "
            "GPUs at once do not work, and without an instance there is nothing to see."
        ),
        signs=(
            likely(
                all_of(
                    any_of(
                        fact("nvidia.mig"),
                        contains("mig-", matching=r"mig-(?:gpu-)?[0-9a-f]{6,}"),
                        contains(
                            "mig mode",
                            "mig is enabled",
                            "mig enabled",
                            "mig partition",
                            "mig instance",
                            "mig slice",
                            "mig device",
                            "with mig",
                            "nvidia mig",
                            "1g.5gb",
                            "1g.10gb",
                            "2g.10gb",
                            "3g.20gb",
                            "3g.40gb",
                        ),
                    ),
                    any_of(
                        contains("num_gpus", "device_count", "invalid device", "internal assert"),
                        NO_CUDA_DEVICE,
                        fact("cuda.available", "false"),
                        contains("no cuda gpus", "is_available", "error"),
                    ),
                )
            ),
            possible(contains("device < num_gpus", "device >= 0 && device < num_gpus")),
            likely(contains("no mig devices found", "no mig-enabled")),
            hint(contains("invalid device ordinal")),
        ),
        steps=(
            Step(
                text="Choose the first slice, before Python starts:",
                command="export CUDA_VISIBLE_DEVICES=\"$(nvidia-smi -L | grep -o 'MIG-[^)]*' | head -n 1)\"",
                os=("linux",),
            ),
            Step(
                text=(
                    "If `nvidia-smi -L` lists no slice, make one, or turn MIG off with `nvidia-smi -mig 0`."
                ),
                where="admin",
            ),
        ),
        explains=("cuda-visible-devices-wrong",),
        os=("linux",),
        find=(
            "`nvidia-smi -L` lists the slices as MIG-…; `nvidia-smi --query-gpu=mig.mode.current "
            "--format=csv` the mode."
        ),
    ),
    Rule(
        id="exclusive-compute-mode",
        layer=Layer.DEVICE_NODES,
        severity="error",
        title="The GPU takes one process only, and another one has it",
        explanation=(
            "In the compute mode Exclusive a second process is refused, in Prohibited every one. "
            "Clusters set it."
        ),
        signs=(
            likely(
                contains(
                    "devices are busy or unavailable",
                    "device(s) is/are busy",
                    "devicesunavailable",
                    "cudaerrordevicesunavailable",
                    "cudaerrordevicealreadyinuse",
                )
            ),
            certain(
                all_of(
                    fact("nvidia.compute_mode", r"E\. Process|E\. Thread|Exclusive_Process"),
                    contains("busy", "unavailable", "error"),
                )
            ),
            certain(fact("nvidia.compute_mode", "Prohibited")),
            likely(
                contains(
                    "compute mode",
                    "compute-mode",
                    "exclusive_process",
                    "exclusive process",
                    matching=r"exclusive|prohibited|e\. process",
                )
            ),
            possible(fact("nvidia.compute_mode", r"E\. Process|E\. Thread|Exclusive_Process")),
        ),
        steps=(
            Step(
                text=(
                    "See who has the GPU: `nvidia-smi` lists the processes. Wait for it, or "
                    "choose another GPU."
                )
            ),
            Step(
                text="Let several processes share the GPU again:",
                command="sudo nvidia-smi -c 0",
                where="admin",
            ),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi --query-gpu=compute_mode --format=csv` must say Default.",
    ),
    Rule(
        id="gpu-memory-held-by-others",
        layer=Layer.RUNTIME,
        severity="warning",
        title="The GPU's memory is taken, by another process or by this one",
        explanation=(
            "CUDA ran out of memory. When the message names little memory in use by this process "
            "while almost none is free, another process, a notebook left open or a worker that "
            "did not end holds it."
        ),
        signs=(
            likely(
                contains(
                    "cuda out of memory",
                    "outofmemoryerror",
                    "out of memory. tried to allocate",
                    "ib total capacity;",
                    "cuda error: out of memory",
                    "hip out of memory",
                    "cublas_status_alloc_failed",
                    "cuda_error_out_of_memory",
                    "显存不足",
                )
            ),
            likely(contains("process", matching=r"process \d+ has [\d.]+ [gm]ib memory in use")),
            certain(predicate(_others_hold)),
            hint(_memory_used(0.9)),
            likely(
                all_of(
                    _memory_used(0.25),
                    contains(
                        "no running processes found",
                        "ctrl-c",
                        "ctrl+c",
                        "ctrl c",
                        "keyboardinterrupt",
                        "was stopped",
                        "was killed",
                        "after killing",
                        "zombie",
                        "still occupied",
                        "still held",
                        "still holds",
                        "still holding",
                        "still occupies",
                        "remains occupied",
                        "been released",
                        "still in use",
                        "not released",
                        "not freed",
                        "does not free",
                        "doesn't free",
                        "is not free",
                        "after the script",
                        "after training",
                        "crashed",
                    ),
                )
            ),
            possible(
                contains(
                    "memory",
                    matching=(
                        r"(?:gpu|video|cuda)? ?memory (?:is |was )?(?:still|not) (?:\w+ "
                        r")?(?:occupied|held|used|in use|released|freed|free)|(?:zombie|orphan"
                        r"|defunct)\w* (?:python )?process|still (?:holds?|holding|occup\w+|uses?) "
                        r"(?:the )?(?:gpu |video |cuda )?memory"
                    ),
                )
            ),
        ),
        steps=(
            Step(
                text="See which process holds the memory, and whose it is:",
                command="nvidia-smi --query-compute-apps=pid,used_memory,name --format=csv",
            ),
            Step(
                text=(
                    "End your own forgotten notebooks and workers in a proper way (shut the "
                    "kernel down); ask the owner about another one's."
                )
            ),
            Step(text="If all of it is yours: a smaller batch, a lower precision, or another GPU."),
        ),
        os=("linux", "windows"),
        find="`nvidia-smi` shows used and free memory before your program starts.",
    ),
)
