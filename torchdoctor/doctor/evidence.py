"""CheckUp -> Evidence: live facts under the names that they have in reports, so that the same rules judge both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.diagnose import Evidence, Observation
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.doctor.environment_evidence import environment_observations, observation
from torchdoctor.doctor.library_evidence import library_observations
from torchdoctor.doctor.missing_device_parts import missing_part_observations
from torchdoctor.kernel.ownership import belongs_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.core import NamedFact
    from torchdoctor.detect import Detection
    from torchdoctor.doctor.model import CheckUp

__all__ = ["evidence_from", "machine_observations", "refusals"]

# A fact of detection -> its name in the evidence of a report; its value is taken as it is.
_REPORTED_FACTS = {
    "os.name": "os.name",
    "os.version": "os.version",
    "os.container": "container",
    "python.version": "python.version",
    "python.bits": "python.bits",
    "system.cpu.model": "cpu.name",
    "nvidia.driver": "nvidia.driver",
    "nvidia.module": "nvidia.module",
    "nvidia.nvcc": "cuda.toolkit",
    "amd.gfx_override": "env.HSA_OVERRIDE_GFX_VERSION",
    "intel.ze_affinity": "env.ZE_AFFINITY_MASK",
}
# Facts that only a live machine has: an observation for each value, named `live.` and the fact's name.
_LIVE_FACTS = (
    "nvidia.mismatch", "nvidia.nouveau", "nvidia.kernel_driver", "nvidia.devices_denied", "nvidia.fabric_manager",
    "nvidia.fabric", "nvidia.licence", "nvidia.lost", "nvidia.xid", "nvidia.compute_mode", "nvidia.mig",
    "nvidia.mig_instances",
    "nvidia.throttle", "nvidia.row_remap", "nvidia.ecc_errors", "nvidia.processes", "nvidia.pci",
    "nvidia.shadowing_libraries", "nvidia.container_visible", "nvidia.libcuda", "amd.kfd", "amd.pci",
    "amd.render_denied", "amd.kernel_driver", "intel.level_zero", "intel.render_denied", "apple.metal",
    "system.shm", "os.wsl_version", "os.secure_boot", "nvidia.iommu", "nccl.interface_missing",
    "windows.runtime_missing", "nvidia.compat_libcuda",
)  # fmt: skip

# Codes of `nvidia.nvml_error` that are given before NVML itself can answer.
_NOT_FROM_NVML = ("library-not-found", "library-unusable", "no-answer")

# Code of a kernel's problem -> the observation; each has a finding of its own.
_KERNEL_PROBLEMS = {
    "python-gone": "live.kernel.gone",
    "no-ipykernel": "live.kernel.without_ipykernel",
    "corrupt-spec": "live.kernel.corrupt",
    "unreadable": "live.kernel.corrupt",
}


def evidence_from(check_up: CheckUp) -> Evidence:
    """Return every fact with its source; what a failed import or a driver's tool printed is read like a report."""
    printed = [
        line
        for result in check_up.imported or ()
        if result.status == "fail"
        for line in (*result.evidence, result.detail)
    ]
    facts = (
        *machine_observations(check_up.detection),
        *environment_observations(check_up),
        *library_observations(check_up.libraries),
        *_of_import(check_up),
        *_of_kernels(check_up),
        *_of_plan(check_up),
    )
    return Evidence(facts=facts).merged_with(
        parse_report("\n".join([*printed, *refusals(check_up.detection)]), printed=True)
    )


def refusals(detection: Detection) -> list[str]:
    """Return why facts of drivers are unknown: in most cases the driver's own error messages."""
    kinds = ("nvidia.", "amd.", "intel.")
    reasons = [
        _refusal(fact, detection)
        for fact in detection.facts
        if fact.fact.state == "unknown" and fact.name.startswith(kinds)
    ]
    return [reason for reason in dict.fromkeys(reasons) if reason]


def _refusal(named: NamedFact, detection: Detection) -> str:
    """The reason in the words of nvidia-smi, which the rules know, where NVML itself gave a code."""
    reason = named.fact.why or ""
    code = detection.fact("nvidia.nvml_error").value
    if named.name != "nvidia.gpus" or named.fact.source != "NVML" or code is None or code in _NOT_FROM_NVML:
        return reason
    if code == "version-mismatch":
        return "Failed to initialize NVML: Driver/library version mismatch"
    return f"Failed to initialize NVML: {reason}"


def machine_observations(detection: Detection) -> Iterator[Observation]:
    """Yield what is known of the machine, under the names that it has in reports."""
    machine = detection.machine
    yield Observation(
        name="os.system", value=machine.os, source=message("operating system: {value}", value=machine.os)
    )
    yield Observation(
        name="arch", value=machine.arch, source=message("processor: {value}", value=machine.arch)
    )
    if machine.wsl:
        yield Observation(name="wsl", value="true", source="WSL")
    if machine.libc is not None:
        yield Observation(
            name="libc.name",
            value=machine.libc.name,
            source=message("C library: {value}", value=machine.libc.name),
        )
        if machine.libc.version:
            text = message("C library: {value}", value=f"{machine.libc.name} {machine.libc.version}")
            yield Observation(name="libc.version", value=machine.libc.version, source=text)
    if machine.python.free_threaded:
        yield Observation(name="python.free_threaded", value="true", source=message("free-threaded Python"))
    yield from _gpus(detection)
    for fact in detection.facts:
        if fact.fact.state == "found":
            yield from _fact_observations(fact)
    yield from missing_part_observations(detection)


def _fact_observations(named: NamedFact) -> Iterator[Observation]:
    value: Any = named.fact.value
    if named.name in _REPORTED_FACTS:
        yield observation(_REPORTED_FACTS[named.name], value, named.name, named.fact.source)
    elif named.name == "nvidia.visible":
        yield observation("env.CUDA_VISIBLE_DEVICES", value.text, named.name, named.fact.source)
        if value.kind == "none" and value.why:
            yield observation("live.nvidia.hidden", value.text, value.why, named.fact.source)
    elif named.name in _LIVE_FACTS:
        for item in value if isinstance(value, tuple) else (value,):
            if item is not None:
                yield observation(f"live.{named.name}", _plain(item), named.name, named.fact.source)


def _gpus(detection: Detection) -> Iterator[Observation]:
    machine = detection.machine
    nvidia, amd, intel = (
        detection.fact("nvidia.gpus"),
        detection.fact("amd.gpus"),
        detection.fact("intel.gpus"),
    )
    for gpu in machine.nvidia.gpus if machine.nvidia else ():
        yield observation("nvidia.gpu", gpu.name, "NVIDIA GPU", nvidia.source)
        if gpu.compute_capability:
            yield observation(
                "nvidia.capability",
                gpu.compute_capability,
                message("{gpu}: compute capability", gpu=gpu.name),
                nvidia.source,
            )
    for card in machine.amd.gpus if machine.amd else ():
        if card.name:
            yield observation("amd.gpu", card.name, "AMD GPU", amd.source)
        if card.gfx:
            yield observation("amd.gfx", card.gfx, message("AMD target"), amd.source)
    for adapter in machine.intel.gpus if machine.intel else ():
        yield observation("intel.gpu", adapter.name, "Intel GPU", intel.source)


def _of_import(check_up: CheckUp) -> Iterator[Observation]:
    for result in check_up.imported or ():
        yield observation(
            f"live.check.{result.id}", result.status, result.detail, message("run in the environment")
        )
    if check_up.healthy_import:
        yield from _available(check_up)


def _available(check_up: CheckUp) -> Iterator[Observation]:
    """What torch finds; that it does not find a GPU says something only where there is one that its build is for."""
    devices = next((result.detail for result in check_up.imported or () if result.id == "devices"), "")
    machine, torch = check_up.detection.machine, check_up.inventory.torch.value
    build = (torch.variant.value if torch else None) or ""
    there = {
        "cuda": build != "xpu" and (machine.nvidia or machine.amd),
        "xpu": build == "xpu" and machine.intel,
        "mps": machine.apple,
    }
    for kind, gpu in there.items():
        if kind in devices.lower():
            yield observation(f"{kind}.available", "true", message("torch's devices"), devices)
        elif gpu:
            yield observation(f"{kind}.available", "false", message("torch's devices"), devices)


def _of_plan(check_up: CheckUp) -> Iterator[Observation]:
    """Which build would fit; a missing GPU build is no fault where none fits."""
    if check_up.plan is not None:
        yield observation(
            "live.plan",
            check_up.plan.variant,
            message("the build that fits"),
            message("the plan for this machine"),
        )


def _of_kernels(check_up: CheckUp) -> Iterator[Observation]:
    """What is wrong with this environment's kernels; those of others are named by the check's line alone."""
    for kernel in check_up.kernels:
        if kernel.language not in (None, "python"):
            continue
        if kernel.problem is not None:
            if not belongs_to(kernel, check_up.python.prefix):
                continue
            text = message(
                "{kernel}: {problem} ({place})",
                kernel=kernel.name,
                problem=kernel.problem.message,
                place=kernel.folder,
            )
            yield Observation(
                name=_KERNEL_PROBLEMS.get(kernel.problem.kind, "live.kernel.gone"),
                value=kernel.name,
                source=text,
            )
        elif kernel.prefix is not None and kernel.prefix != check_up.python.prefix and not kernel.torch:
            yield observation(
                "live.kernel.without_torch",
                kernel.name,
                message("it runs {python}", python=kernel.python),
                str(kernel.folder),
            )


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "true" if value is True else str(value)
