"""Asks nvidia-smi, the driver's tool, from its most precise answer to its plainest.

1. `--query-gpu` with the compute capability, which drivers up to 470 do not know; then without it.
2. The table and the list: names, memory and state, without the capability.
3. The driver's version alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.detect.model import NvidiaGpu
from torchdoctor.detect.nvidia.facts import NvidiaFacts, no_facts
from torchdoctor.detect.nvidia.gpu_state import STATE_NAMES, state_facts
from torchdoctor.detect.nvidia.parsers import SmiAnswer, parse_kernel_module, parse_smi, parse_smi_refusal
from torchdoctor.detect.nvidia.smi_table import ListedGpu, SmiTable, parse_smi_list, parse_smi_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core import Fact
    from torchdoctor.core.system import Completed, System

__all__ = ["query_nvidia_smi"]

_PROGRAMS = (
    "nvidia-smi",
    "/usr/lib/wsl/lib/nvidia-smi",
    "C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe",
)
_FIELDS = ("name,compute_cap,memory.total,driver_version", "name,memory.total,driver_version")
_CSV = "--format=csv,noheader,nounits"
# What the table and the list hold of a GPU's state.
_IN_TABLE = frozenset(f"nvidia.{name}" for name in (
    "uuid", "bus_id", "mig", "mig_pending", "mig_instances", "compute_mode", "persistence", "ecc", "ecc_errors",
    "temperature", "power_draw", "power_limit", "memory_used",
))  # fmt: skip


def query_nvidia_smi(system: System) -> NvidiaFacts:
    """Driver, GPUs and state; absent where the tool is not there or says that there is no device."""
    refused = ""
    for program in _PROGRAMS:
        answer = system.run([program, f"--query-gpu={_FIELDS[0]}", _CSV])
        if answer.failure == "foreign":
            refused = refused or answer.cause
        elif answer.failure != "missing":
            return _ask(system, program, answer)
    if refused:
        return no_facts(unknown(refused, "nvidia-smi"))
    return no_facts(absent("nvidia-smi", why=message("it is not there")))


def _ask(system: System, program: str, answer: Completed) -> NvidiaFacts:
    rows, last = _rows(system, program, answer)
    if last is not None and (last.gpus.state == "absent" or last.hung):
        return last
    shown = system.run([program])
    table = parse_smi_table(shown.stdout)
    listed = parse_smi_list(system.run([program, "-L"]).stdout) if shown.failure != "time-limit" else ()
    gpus = rows.gpus if rows else _named(table, listed)
    driver = rows.driver if rows else table.driver if table else _driver(system, program, shown)
    if not gpus:
        refused = parse_smi_refusal(f"{shown.stdout}\n{shown.stderr}")
        last = no_facts(unknown(refused, program)) if refused and last is None else last
    if driver is None and not gpus:
        return last or no_facts(unknown(message("its answer makes no sense"), program))
    reason = unknown((last.gpus.why if last else None) or "its table does not say", program)
    return NvidiaFacts(
        driver=found(driver, program) if driver else reason,
        gpus=found(gpus, program) if gpus else reason,
        cuda=found(table.cuda, program) if table and table.cuda else reason,
        lost=unknown(message("only NVML tells"), program),
        nvml_error=unknown(message("only NVML tells"), program),
        states=_states(table, listed, program),
    )


def _rows(system: System, program: str, answer: Completed) -> tuple[SmiAnswer | None, NvidiaFacts | None]:
    """The query's answer, or what is to be said without one."""
    last: NvidiaFacts | None = None
    for fields in _FIELDS:
        if last is not None:
            answer = system.run([program, f"--query-gpu={fields}", _CSV])
        if not answer.ok and answer.failure != "status":
            return None, no_facts(unknown(answer.cause, program), hung=answer.failure == "time-limit")
        try:
            return parse_smi(answer.stdout, fields.split(",")), None
        except ValueError as error:
            why = parse_smi_refusal(f"{answer.stdout}\n{answer.stderr}")
            if why is not None and why.startswith("No devices were found"):
                return None, no_facts(absent(program, why=why))
            odd = message("its answer makes no sense: {error}", error=error) if answer.ok else answer.cause
            last = no_facts(unknown(why or odd, program))
            if why is not None:
                break
    return None, last


def _named(table: SmiTable | None, listed: Sequence[ListedGpu]) -> tuple[NvidiaGpu, ...]:
    """The list has whole names, the table has the memory and may cut the names."""
    rows = table.gpus if table else ()
    if listed and (not rows or len(listed) == len(rows)):
        memory = [gpu.memory_mib for gpu in rows] or [None] * len(listed)
        return tuple(
            NvidiaGpu(name=gpu.name, memory_mib=size) for gpu, size in zip(listed, memory, strict=True)
        )
    return tuple(NvidiaGpu(name=gpu.name, memory_mib=gpu.memory_mib) for gpu in rows)


def _driver(system: System, program: str, shown: Completed) -> str | None:
    if shown.failure == "time-limit":
        return None
    answer = system.run([program, "--query-gpu=driver_version", _CSV])
    versions = {parse_kernel_module(line) for line in answer.stdout.splitlines()[:1024] if line.strip()}
    return versions.pop() if len(versions) == 1 else None


def _states(table: SmiTable | None, listed: Sequence[ListedGpu], program: str) -> dict[str, Fact[object]]:
    facts: dict[str, Fact[object]] = dict.fromkeys(STATE_NAMES, unknown(message("only NVML tells"), program))
    if table is not None and table.gpus:
        said = state_facts([gpu.state for gpu in table.gpus], program)
        facts |= {name: fact for name, fact in said.items() if name in _IN_TABLE}
    uuids = tuple(gpu.uuid for gpu in listed)
    slices = tuple(part for gpu in listed for part in gpu.slices)
    none = unknown(message("its list does not say"), program)
    facts["nvidia.uuid"] = found(uuids, program) if any(uuids) else none
    facts["nvidia.mig_instances"] = found(slices, program) if slices else absent(program) if listed else none
    return facts
