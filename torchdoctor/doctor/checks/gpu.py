"""Checks of the GPUs: which there are, their driver, and what keeps programs from using them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.doctor.checks.model import CheckText, fact_lines

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.doctor.model import CheckUp

__all__ = ["describe_access", "describe_devices", "describe_driver"]

_GPU_FACTS = ("nvidia.gpus", "amd.gpus", "intel.gpus")


def describe_devices(check_up: CheckUp) -> CheckText:
    """The GPUs by name; unknown where none is known and somebody could not be asked."""
    names = _gpu_names(check_up.detection.machine)
    unknown = [
        fact.fact.why or ""
        for fact in check_up.detection.facts
        if fact.name in _GPU_FACTS and fact.fact.state == "unknown"
    ]
    text = joined(names) if names else message("no GPU was found")
    if unknown:
        text = joined((text, *dict.fromkeys(unknown)), "; ")
    return CheckText(
        text=text,
        evidence=fact_lines(check_up, "nvidia", "amd", "intel", "apple"),
        mark="unknown" if unknown and not names else "ok",
    )


def _gpu_names(machine: Machine) -> list[str]:
    names = [gpu.name for gpu in machine.nvidia.gpus] if machine.nvidia else []
    names += [gpu.name or gpu.gfx or "AMD GPU" for gpu in machine.amd.gpus] if machine.amd else []
    names += [gpu.name for gpu in machine.intel.gpus] if machine.intel else []
    return names + ([machine.apple.chip] if machine.apple else [])


def describe_driver(check_up: CheckUp) -> CheckText:
    """The drivers and their versions."""
    machine = check_up.detection.machine
    drivers = []
    if machine.nvidia:
        driver = machine.nvidia.driver
        drivers.append(f"NVIDIA {driver}" if driver else message("no NVIDIA driver answers"))
    if machine.amd:
        drivers.append(f"amdgpu {machine.amd.driver or ''}".strip())
    text = joined(drivers) if drivers else message("none is needed")
    evidence = fact_lines(check_up, "nvidia.driver", "nvidia.module", "nvidia.libcuda", "amd.driver")
    return CheckText(text=text, evidence=evidence)


def describe_access(check_up: CheckUp) -> CheckText:
    """Whether this is a container, and which device nodes may not be opened."""
    machine = check_up.detection.machine
    where = machine.container and message("in a container ({kind})", kind=machine.container)
    denied = [
        str(fact.fact.value)
        for fact in check_up.detection.facts
        if fact.name.endswith("_denied") and fact.fact.state == "found"
    ]
    text = (
        message("no permission to open {nodes}", nodes=joined(denied))
        if denied
        else message("nothing blocks access")
    )
    evidence = fact_lines(
        check_up,
        "nvidia.devices",
        "nvidia.devices_denied",
        "nvidia.visible",
        "amd.kfd",
        "amd.groups",
        "os.container",
    )
    return CheckText(text=joined(filter(None, (where, text))), evidence=evidence)
