"""The state of each NVIDIA GPU, as NVML's second line says it, and the facts that come of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import read_json, sanitize_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchdoctor.core import Fact

__all__ = ["COMPUTE_MODES", "STATE_NAMES", "GpuState", "MigInstance", "parse_states", "state_facts"]

_MAX_GPUS = 1024
_MIB = 1 << 20
# nvmlComputeMode_t, nvmlClocksEventReasons, nvmlGpuFabricState_t: https://docs.nvidia.com/deploy/nvml-api/
COMPUTE_MODES = ("default", "exclusive-thread", "prohibited", "exclusive-process")
_THROTTLE = (
    "idle", "application-clocks", "software-power-cap", "hardware-slowdown", "sync-boost",
    "software-thermal", "hardware-thermal", "hardware-power-brake", "display-clocks",
)  # fmt: skip
_FABRIC = ("not-supported", "not-started", "in-progress", "completed")


@dataclass(frozen=True, kw_only=True, slots=True)
class MigInstance:
    """A slice of a GPU: the GPU's place, the slice's name such as `... MIG 1g.5gb`, and its id."""

    gpu: int
    name: str
    uuid: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuState:
    """One GPU as it is now; None for what it does not have or was not asked for. Powers in W, memory in MiB, MHz, °C.

    `ecc_errors` counts uncorrected errors since the driver was loaded, `ecc_lifetime` those of the GPU's
    life. `row_remap` is none, remapped, pending (restart the GPU) or failed (replace it). `errors` has why
    a field could not be read. `licence` is that of a vGPU inside a virtual machine.
    """

    uuid: str | None = None
    bus_id: str | None = None
    mig: bool | None = None
    mig_pending: bool | None = None
    mig_instances: tuple[MigInstance, ...] | None = None
    compute_mode: str | None = None
    persistence: bool | None = None
    ecc: bool | None = None
    ecc_errors: int | None = None
    ecc_lifetime: int | None = None
    row_remap: str | None = None
    temperature: int | None = None
    power_draw: float | None = None
    power_limit: float | None = None
    power_default: float | None = None
    throttle: tuple[str, ...] | None = None
    clock: int | None = None
    clock_max: int | None = None
    memory_used: int | None = None
    processes: int | None = None
    pcie_gen: int | None = None
    pcie_gen_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    nvlinks: int | None = None
    nvlinks_up: int | None = None
    fabric: str | None = None
    licence: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


_FIELDS = tuple(row.name for row in fields(GpuState) if row.name != "errors")
STATE_NAMES = tuple(f"nvidia.{name}" for name in _FIELDS)
# A field and the question of the NVML process that it comes from, where they differ.
_ASKED = {
    "bus_id": "bus", "mig_pending": "mig", "ecc_errors": "ecc_volatile", "ecc_lifetime": "ecc_aggregate",
    "row_remap": "remapped_rows", "nvlinks_up": "nvlinks",
}  # fmt: skip


def state_facts(states: Sequence[GpuState], source: str) -> dict[str, Fact[object]]:
    """One fact a field: its values in the order of the GPUs; absent when no GPU has it."""
    facts: dict[str, Fact[object]] = {}
    for name in _FIELDS:
        values = [getattr(state, name) for state in states]
        if name == "mig_instances":
            slices = tuple(row for value in values if value for row in value)
            facts["nvidia.mig_instances"] = found(slices, source) if slices else _none(name, states, source)
        elif any(value is not None for value in values):
            facts[f"nvidia.{name}"] = found(tuple(values), source)
        else:
            facts[f"nvidia.{name}"] = _none(name, states, source)
    return facts


def _none(name: str, states: Sequence[GpuState], source: str) -> Fact[object]:
    asked = _ASKED.get(name, name)
    why = next((state.errors[asked] for state in states if asked in state.errors), None)
    return unknown(why, source) if why else absent(source, why=message("no GPU has it"))


def parse_states(text: str) -> tuple[GpuState, ...]:
    """Read the second line that the NVML process prints; ValueError when it is not that."""
    rows = read_json(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is no list of GPUs")
    return tuple(_state(index, row) for index, row in enumerate(rows[:_MAX_GPUS]))


def _state(index: int, row: dict[str, Any]) -> GpuState:
    mig, rows, links = _numbers(row, "mig", 2), _numbers(row, "remapped_rows", 4), _numbers(row, "nvlinks", 2)
    errors = row.get("errors")
    return GpuState(
        uuid=_text(row, "uuid"),
        bus_id=_text(row, "bus"),
        mig=bool(mig[0]) if mig else None,
        mig_pending=bool(mig[1]) if mig else None,
        mig_instances=_instances(index, row.get("mig_instances")),
        compute_mode=_name(COMPUTE_MODES, _number(row, "compute_mode")),
        persistence=_flag(row, "persistence"),
        ecc=_flag(row, "ecc"),
        ecc_errors=_number(row, "ecc_volatile"),
        ecc_lifetime=_number(row, "ecc_aggregate"),
        row_remap=_remap(rows) if rows else None,
        temperature=_number(row, "temperature"),
        power_draw=_watts(row, "power_draw"),
        power_limit=_watts(row, "power_limit"),
        power_default=_watts(row, "power_default"),
        throttle=_throttle(_number(row, "throttle")),
        clock=_number(row, "clock"),
        clock_max=_number(row, "clock_max"),
        memory_used=used // _MIB if (used := _number(row, "memory_used")) is not None else None,
        processes=_number(row, "processes"),
        pcie_gen=_number(row, "pcie_gen"),
        pcie_gen_max=_number(row, "pcie_gen_max"),
        pcie_width=_number(row, "pcie_width"),
        pcie_width_max=_number(row, "pcie_width_max"),
        nvlinks=links[0] if links else None,
        nvlinks_up=links[1] if links else None,
        fabric=_fabric(_numbers(row, "fabric", 2)),
        licence=_licence(row.get("licence")),
        errors={sanitize_line(str(key)): sanitize_line(str(why)) for key, why in errors.items()}
        if isinstance(errors, dict)
        else {},
    )


def _number(row: dict[str, Any], key: str) -> int | None:
    value = row.get(key)
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def _numbers(row: dict[str, Any], key: str, count: int) -> list[int] | None:
    value = row.get(key)
    fits = isinstance(value, list) and len(value) == count and all(type(cell) is int for cell in value)
    return value if fits else None


def _flag(row: dict[str, Any], key: str) -> bool | None:
    value = _number(row, key)
    return None if value is None else bool(value)


def _text(row: dict[str, Any], key: str) -> str | None:
    value = row.get(key)
    return sanitize_line(value, limit=96) or None if isinstance(value, str) else None


def _watts(row: dict[str, Any], key: str) -> float | None:
    value = _number(row, key)
    return None if value is None else round(value / 1000, 1)


def _name(names: Sequence[str], number: int | None) -> str | None:
    return names[number] if number is not None and number < len(names) else None


def _throttle(mask: int | None) -> tuple[str, ...] | None:
    if mask is None:
        return None
    return tuple(name for bit, name in enumerate(_THROTTLE) if mask >> bit & 1)


def _remap(rows: list[int]) -> str:
    corrected, uncorrected, pending, failed = rows
    if failed:
        return "failed"
    return "pending" if pending else "remapped" if corrected or uncorrected else "none"


def _licence(licensed: object) -> str | None:
    return None if not isinstance(licensed, bool) else "licensed" if licensed else "unlicensed"


def _fabric(said: list[int] | None) -> str | None:
    """The state by name; a registration that ended with an error is failed, whatever the state."""
    if said is None or said[0] == 0:
        return None
    state, status = said
    if status:
        return message("failed ({status})", status=status)
    return _name(_FABRIC, state)


def _instances(gpu: int, rows: Any) -> tuple[MigInstance, ...] | None:
    if not isinstance(rows, list):
        return None
    return tuple(
        MigInstance(gpu=gpu, name=sanitize_line(str(row.get("name")), limit=96), uuid=_text(row, "uuid"))
        for row in rows[:_MAX_GPUS]
        if isinstance(row, dict)
    )
