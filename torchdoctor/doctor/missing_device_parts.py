"""Parts of the way to the GPU that a machine should have beside those that it has: nodes, library, slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import Detection

__all__ = ["missing_part_observations"]

_FULL = 0.95


def missing_part_observations(detection: Detection) -> Iterator[Observation]:
    """What is not there though another part says that it must; of what nobody could ask, nothing is said."""
    state = {row.name: row.fact.state for row in detection.facts}
    module, asked = detection.fact("nvidia.module_version"), state["nvidia.uuid"] == "found"
    if module.state == "found" and state["nvidia.devices"] == "absent" and not asked:
        said = message(
            "the driver {version} is loaded ({where}), but /dev has no NVIDIA device nodes",
            version=module.value,
            where=module.source,
        )
        value = "not-asked" if state["nvidia.nvml_error"] == "unknown" else "refused"
        yield Observation(name="live.nvidia.no_nodes", value=value, source=said)
    if state["nvidia.devices"] == "found" and state["nvidia.libcuda"] == "absent":
        said = message("the GPU's device nodes exist, but libcuda.so.1 is in no library folder")
        yield Observation(name="live.nvidia.no_libcuda", value="true", source=said)
    code, gpus = detection.fact("nvidia.nvml_error").value, detection.fact("nvidia.gpus")
    if code == "driver-not-loaded" and gpus.state == "absent":
        yield Observation(name="live.nvidia.not_loaded", value="true", source=f"NVML: {gpus.why}")
    if code == "no-permission" and gpus.state == "unknown":
        yield Observation(name="live.nvidia.no_permission", value="true", source=f"NVML: {gpus.why}")
    sliced = detection.fact("nvidia.mig").value or ()
    if sliced and all(sliced) and state["nvidia.mig_instances"] == "absent":
        said = message("MIG is enabled on every GPU, but there is no MIG instance")
        yield Observation(name="live.nvidia.no_slice", value="true", source=said)
    yield from _memory(detection)


def _memory(detection: Detection) -> Iterator[Observation]:
    used = detection.fact("nvidia.memory_used").value or ()
    gpus = detection.machine.nvidia.gpus if detection.machine.nvidia else ()
    for number, (taken, gpu) in enumerate(zip(used, gpus, strict=False)):
        if taken is not None and gpu.memory_mib and taken / gpu.memory_mib > _FULL:
            said = message(
                "GPU {number}: {taken} of {whole} MiB are in use",
                number=number,
                taken=taken,
                whole=gpu.memory_mib,
            )
            yield Observation(name="live.nvidia.full", value=str(number), source=said)
    now, most = (detection.fact(name).value or () for name in ("nvidia.pcie_width", "nvidia.pcie_width_max"))
    for number, (lanes, could) in enumerate(zip(now, most, strict=False)):
        if lanes and could and lanes < could:
            said = message(
                "GPU {number}: {lanes} of {could} PCIe lanes are in use",
                number=number,
                lanes=lanes,
                could=could,
            )
            yield Observation(name="live.nvidia.narrow", value=str(number), source=said)
