"""Seen -> CaseFile: live facts under the names that a report's have, so that the same rules judge both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.checkup.replaced import replacement_of
from torchdoctor.diagnosis.case_file import CaseFile, Fact
from torchdoctor.diagnosis.reading import read_paste

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.checkup.seen import Seen
    from torchdoctor.inventory.model import Inventory, TorchPackage
    from torchdoctor.machine import Detection, NamedFact

__all__ = ["case_of", "machine_facts", "refusals"]

# A fact of detection -> its name in the case file, where the value is plain text as it stands.
_MACHINE = {
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
# Facts that are told as they are, one for each value, under a name that only a live machine has.
_LIVE = (
    "nvidia.mismatch", "nvidia.nouveau", "nvidia.kernel_driver", "nvidia.devices_denied", "nvidia.fabric_manager",
    "nvidia.fabric", "nvidia.lost", "nvidia.xid", "nvidia.compute_mode", "nvidia.mig", "nvidia.mig_instances",
    "nvidia.throttle", "nvidia.row_remap", "nvidia.ecc_errors", "nvidia.processes", "nvidia.pci",
    "nvidia.shadowing_libraries", "nvidia.container_visible", "amd.kfd", "amd.pci", "amd.render_denied",
    "amd.kernel_driver", "intel.level_zero", "intel.render_denied", "apple.metal", "system.shm", "os.wsl_version",
)  # fmt: skip


def case_of(seen: Seen) -> CaseFile:
    """Every fact with its source; what the import and the drivers' tools answered is read as a paste would be."""
    printed = [
        line for row in seen.imported or () if row.status == "fail" for line in (*row.evidence, row.detail)
    ]
    facts = (
        *machine_facts(seen.detection),
        *_of_environment(seen.inventory),
        *_of_import(seen),
        *_of_kernels(seen),
    )
    return CaseFile(facts=facts).beside(read_paste("\n".join([*printed, *refusals(seen.detection)])))


def refusals(detection: Detection) -> list[str]:
    """Why a driver's facts are not known: in most cases the words in which the driver said no."""
    kinds = ("nvidia.", "amd.", "intel.")
    rows = [
        row.fact.why for row in detection.facts if row.fact.state == "unknown" and row.name.startswith(kinds)
    ]
    return [why for why in dict.fromkeys(rows) if why]


def machine_facts(detection: Detection) -> Iterator[Fact]:
    """What is known of the machine, under the names that reports have for it."""
    machine = detection.machine
    yield Fact(name="os.system", value=machine.os, source=f"operating system: {machine.os}")
    yield Fact(name="arch", value=machine.arch, source=f"processor: {machine.arch}")
    if machine.wsl:
        yield Fact(name="wsl", value="true", source="WSL")
    if machine.libc is not None:
        yield Fact(name="libc.name", value=machine.libc.name, source=f"C library: {machine.libc.name}")
        if machine.libc.version:
            said = f"C library: {machine.libc.name} {machine.libc.version}"
            yield Fact(name="libc.version", value=machine.libc.version, source=said)
    if machine.python.free_threaded:
        yield Fact(name="python.free_threaded", value="true", source="free-threaded Python")
    yield from _gpus(detection)
    for row in detection.facts:
        if row.fact.state == "found":
            yield from _told(row)


def _told(row: NamedFact) -> Iterator[Fact]:
    value: Any = row.fact.value
    if row.name in _MACHINE:
        yield _fact(_MACHINE[row.name], value, row.name, row.fact.source)
    elif row.name == "nvidia.visible":
        yield _fact("env.CUDA_VISIBLE_DEVICES", value.text, row.name, row.fact.source)
    elif row.name in _LIVE:
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                yield _fact(f"live.{row.name}", _plain(one), row.name, row.fact.source)


def _gpus(detection: Detection) -> Iterator[Fact]:
    machine = detection.machine
    nvidia, amd, intel = (
        detection.fact("nvidia.gpus"),
        detection.fact("amd.gpus"),
        detection.fact("intel.gpus"),
    )
    for gpu in machine.nvidia.gpus if machine.nvidia else ():
        yield _fact("nvidia.gpu", gpu.name, "NVIDIA GPU", nvidia.source)
        if gpu.compute_capability:
            yield _fact(
                "nvidia.capability", gpu.compute_capability, f"{gpu.name}: compute capability", nvidia.source
            )
    for card in machine.amd.gpus if machine.amd else ():
        if card.name:
            yield _fact("amd.gpu", card.name, "AMD GPU", amd.source)
        if card.gfx:
            yield _fact("amd.gfx", card.gfx, "AMD target", amd.source)
    for adapter in machine.intel.gpus if machine.intel else ():
        yield _fact("intel.gpu", adapter.name, "Intel GPU", intel.source)


def _of_environment(inventory: Inventory) -> Iterator[Fact]:
    yield Fact(name="environment.prefix", value=inventory.prefix, source=f"environment: {inventory.prefix}")
    yield Fact(name="environment.python", value=inventory.python, source=f"interpreter: {inventory.python}")
    torch = inventory.torch.value
    if torch is not None:
        yield from _torch(torch)
    for row in inventory.distributions.value or ():
        if row.version and row.name != "torch":
            yield _fact(f"package.{row.name}", row.version, row.name, row.metadata)
    for variable in inventory.variables.value or ():
        yield _fact(f"env.{variable.name}", variable.value, variable.name, "the environment variables")
    yield from _wrong_files(inventory)
    yield from _together(inventory)
    if (replaced := replacement_of(inventory)) is not None:
        yield Fact(name="live.replaced", value=replaced.now, source=str(replaced))


def _together(inventory: Inventory) -> Iterator[Fact]:
    """What does not go together, or is imported in place of something else."""
    for copy in inventory.copies.value or ():
        if copy.name == "torch":
            yield _fact("live.torch.copy", copy.folder, f"torch {copy.version}", copy.folder)
    for shadow in inventory.shadows.value or ():
        yield _fact("live.shadow", shadow.module, f"{shadow.path} is imported in its place", shadow.where)
    for companion in inventory.companions.value or ():
        if companion.matches is False or companion.same_variant is False:
            yield _fact("live.companion", companion.name, companion.why, f"torch {companion.torch}")
    if inventory.numpy.value is not None and inventory.numpy.value.fits is False:
        needed = f"this torch needs NumPy {inventory.numpy.value.needed}"
        yield _fact("live.numpy", inventory.numpy.value.version, needed, inventory.numpy.source)


def _torch(torch: TorchPackage) -> Iterator[Fact]:
    if torch.version:
        yield _fact("torch.version", torch.version, "torch", torch.folder)
    if torch.variant.value:
        yield _fact("torch.build", torch.variant.value, "torch's build", torch.variant.source)
    says = torch.version_file.value
    if says is None:
        return
    for name, value in (("cuda", says.cuda), ("hip", says.hip)):
        if name in says.says:
            yield _fact(f"torch.{name}", value or "none", f"torch.version.{name}", torch.version_file.source)


def _wrong_files(inventory: Inventory) -> Iterator[Fact]:
    for check in inventory.records.value or ():
        if not check.wrong_count:
            continue
        first = ", ".join(f"{row.path}: {row.problem}" for row in check.wrong[:3])
        said = f"{check.wrong_count} of {check.files} files are not as {check.name} installed them ({first})"
        yield _fact("live.record", check.name, said, check.record)
    for path in inventory.truncated.value or ():
        yield _fact("live.truncated", path, "cut short", path)
    for path in inventory.leftovers.value or ():
        yield _fact("live.leftover", path, "left by an interrupted installation", path)


def _of_import(seen: Seen) -> Iterator[Fact]:
    for row in seen.imported or ():
        yield _fact(f"live.check.{row.id}", row.status, row.detail, "run in the environment")
    if seen.healthy_import:
        yield from _available(seen)


def _available(seen: Seen) -> Iterator[Fact]:
    """What torch finds; that it does not find a GPU says something only where there is one."""
    said = next((row.detail for row in seen.imported or () if row.id == "devices"), "")
    machine = seen.detection.machine
    there = {"cuda": machine.nvidia or machine.amd, "xpu": machine.intel, "mps": machine.apple}
    for kind, gpu in there.items():
        if kind in said.lower():
            yield _fact(f"{kind}.available", "true", "torch's devices", said)
        elif gpu is not None:
            yield _fact(f"{kind}.available", "false", "torch's devices", said)


def _of_kernels(seen: Seen) -> Iterator[Fact]:
    for row in seen.kernels:
        if row.language not in (None, "python"):
            continue
        if row.problem is not None:
            yield _fact("live.kernel.broken", row.name, row.problem.message, str(row.folder))
        elif row.prefix is not None and row.prefix != seen.python.prefix and not row.torch:
            yield _fact("live.kernel.without_torch", row.name, f"it runs {row.python}", str(row.folder))


def _fact(name: str, value: object, what: str, where: str) -> Fact:
    return Fact(name=name, value=str(value), source=f"{what}: {value} ({where})")


def _plain(value: Any) -> str:
    return (
        " ".join(map(str, value))
        if isinstance(value, tuple)
        else str(value).lower()
        if value is True
        else str(value)
    )
