"""Missing GPU prerequisites: device nodes, the driver library, MIG instances, free memory, PCIe lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.diagnose import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import Detection

__all__ = ["missing_part_observations"]

_FULL_SHARE = 0.95  # of a GPU's memory


def missing_part_observations(detection: Detection) -> Iterator[Observation]:
    """Yield what is missing although another part shows that it must exist; nothing where nobody could be asked."""
    state = {fact.name: fact.fact.state for fact in detection.facts}
    module, nvml_answered = detection.fact("nvidia.module_version"), state["nvidia.uuid"] == "found"
    if module.state == "found" and state["nvidia.devices"] == "absent" and not nvml_answered:
        text = message(
            "the driver {version} is loaded ({where}), but /dev has no NVIDIA device nodes",
            version=module.value,
            where=module.source,
        )
        value = "not-asked" if state["nvidia.nvml_error"] == "unknown" else "refused"
        yield Observation(name="live.nvidia.no_nodes", value=value, source=text)
    if state["nvidia.devices"] == "found" and state["nvidia.libcuda"] == "absent":
        text = message("the GPU's device nodes exist, but libcuda.so.1 is in no library folder")
        yield Observation(name="live.nvidia.no_libcuda", value="true", source=text)
    code, gpus = detection.fact("nvidia.nvml_error").value, detection.fact("nvidia.gpus")
    if code == "driver-not-loaded" and gpus.state == "absent":
        yield Observation(name="live.nvidia.not_loaded", value="true", source=f"NVML: {gpus.why}")
    if code == "no-permission" and gpus.state == "unknown":
        yield Observation(name="live.nvidia.no_permission", value="true", source=f"NVML: {gpus.why}")
    mig_modes = detection.fact("nvidia.mig").value or ()
    if mig_modes and all(mig_modes) and state["nvidia.mig_instances"] == "absent":
        text = message("MIG is enabled on every GPU, but there is no MIG instance")
        yield Observation(name="live.nvidia.no_slice", value="true", source=text)
    yield from _memory_and_lanes(detection)


def _memory_and_lanes(detection: Detection) -> Iterator[Observation]:
    """GPUs whose memory is full, and GPUs that use fewer PCIe lanes than they could."""
    used = detection.fact("nvidia.memory_used").value or ()
    gpus = detection.machine.nvidia.gpus if detection.machine.nvidia else ()
    for number, (used_mib, gpu) in enumerate(zip(used, gpus, strict=False)):
        if used_mib is not None and gpu.memory_mib and used_mib / gpu.memory_mib > _FULL_SHARE:
            text = message(
                "GPU {number}: {taken} of {whole} MiB are in use",
                number=number,
                taken=used_mib,
                whole=gpu.memory_mib,
            )
            yield Observation(name="live.nvidia.full", value=str(number), source=text)
    widths, widest = (
        detection.fact(name).value or () for name in ("nvidia.pcie_width", "nvidia.pcie_width_max")
    )
    for number, (lanes, possible) in enumerate(zip(widths, widest, strict=False)):
        if lanes and possible and lanes < possible:
            text = message(
                "GPU {number}: {lanes} of {could} PCIe lanes are in use",
                number=number,
                lanes=lanes,
                could=possible,
            )
            yield Observation(name="live.nvidia.narrow", value=str(number), source=text)
