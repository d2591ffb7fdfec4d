"""Runs in a process of its own and prints what NVML says as two JSON lines: a driver that hangs, hangs here.

The first line is the driver and the GPUs, the second each GPU's state: a call that hangs in the second
leaves the first.
"""

# ruff: noqa: T201
from __future__ import annotations

import ctypes
import sys

# typing and json cost as much as the rest, and most machines have no NVIDIA driver.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__: list[str] = []

_GPU_LIMIT = 1024
_MIG_LIMIT = 64
_LINK_LIMIT = 64
_NOT_SUPPORTED, _NOT_FOUND, _NO_FUNCTION, _OTHER_VERSION = 3, 6, 13, 25


def _first(pynvml: Any) -> dict[str, Any]:
    try:
        pynvml.nvmlInit()
        count = min(pynvml.nvmlDeviceGetCount(), _GPU_LIMIT)
        return {
            "driver": _text(pynvml.nvmlSystemGetDriverVersion()),
            "cuda": _asked(pynvml, pynvml.nvmlSystemGetCudaDriverVersion),
            "gpus": [_gpu(pynvml, index) for index in range(count)],
        }
    except pynvml.NVMLError as error:
        return {"error": _ERRORS.get(error.value, f"nvml-{error.value}"), "detail": str(error)}


# nvmlReturn_t, https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html; others are nvml-NUMBER.
_ERRORS = {4: "no-permission", 9: "driver-not-loaded", 12: "library-not-found", 18: "version-mismatch"}


def _gpu(pynvml: Any, index: int) -> dict[str, Any]:
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        name = _text(pynvml.nvmlDeviceGetName(handle))
    except pynvml.NVMLError as error:
        return {"error": f"GPU {index}: {error}"}
    return {
        "name": name,
        "capability": _asked(pynvml, lambda: list(pynvml.nvmlDeviceGetCudaComputeCapability(handle))),
        "memory": _asked(pynvml, lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)),
    }


def _states(pynvml: Any, gpus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a GPU that answered; a value that could not be had is null, and why is in `errors`."""
    rows = []
    for index, gpu in enumerate(gpus):
        if gpu.get("error"):
            continue
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        row: dict[str, Any] = {"errors": {}}
        for key, ask in _questions(pynvml, handle):
            try:
                row[key] = ask()
            except pynvml.NVMLError as error:
                row[key] = None
                if error.value not in (_NOT_SUPPORTED, _NO_FUNCTION):
                    row["errors"][key] = str(error)
            except AttributeError:
                # Bindings that are older than the question.
                row[key] = None
        rows.append(row)
    return rows


def _questions(pynvml: Any, handle: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    nvml = pynvml
    yield "uuid", lambda: _text(nvml.nvmlDeviceGetUUID(handle))
    yield "bus", lambda: _text(nvml.nvmlDeviceGetPciInfo(handle).busId)
    yield "mig", lambda: nvml.nvmlDeviceGetMigMode(handle)
    yield "mig_instances", lambda: list(_instances(nvml, handle))
    yield "compute_mode", lambda: nvml.nvmlDeviceGetComputeMode(handle)
    yield "persistence", lambda: nvml.nvmlDeviceGetPersistenceMode(handle)
    yield "ecc", lambda: nvml.nvmlDeviceGetEccMode(handle)[0]
    # Uncorrected, since the driver was loaded, and over the GPU's life.
    yield "ecc_volatile", lambda: int(nvml.nvmlDeviceGetTotalEccErrors(handle, 1, 0))
    yield "ecc_aggregate", lambda: int(nvml.nvmlDeviceGetTotalEccErrors(handle, 1, 1))
    yield "remapped_rows", lambda: list(nvml.nvmlDeviceGetRemappedRows(handle))
    yield (
        "temperature",
        lambda: _newest(nvml, handle, ("nvmlDeviceGetTemperatureV", 0), ("nvmlDeviceGetTemperature", 0)),
    )
    yield "power_draw", lambda: nvml.nvmlDeviceGetPowerUsage(handle)
    yield "power_limit", lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle)
    yield "power_default", lambda: nvml.nvmlDeviceGetPowerManagementDefaultLimit(handle)
    yield (
        "throttle",
        lambda: _newest(
            nvml,
            handle,
            ("nvmlDeviceGetCurrentClocksEventReasons",),
            ("nvmlDeviceGetCurrentClocksThrottleReasons",),
        ),
    )
    yield "clock", lambda: nvml.nvmlDeviceGetClockInfo(handle, 1)
    yield "clock_max", lambda: nvml.nvmlDeviceGetMaxClockInfo(handle, 1)
    yield "memory_used", lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).used)
    yield "processes", lambda: len(nvml.nvmlDeviceGetComputeRunningProcesses(handle))
    yield "pcie_gen", lambda: nvml.nvmlDeviceGetCurrPcieLinkGeneration(handle)
    yield "pcie_gen_max", lambda: nvml.nvmlDeviceGetMaxPcieLinkGeneration(handle)
    yield "pcie_width", lambda: nvml.nvmlDeviceGetCurrPcieLinkWidth(handle)
    yield "pcie_width_max", lambda: nvml.nvmlDeviceGetMaxPcieLinkWidth(handle)
    yield "nvlinks", lambda: _links(nvml, handle)
    yield "fabric", lambda: _fabric(nvml, handle)
    yield "licence", lambda: _licence(nvml, handle)


def _newest(pynvml: Any, handle: Any, *calls: tuple[Any, ...]) -> int:
    """The answer of the first function that driver and bindings have: NVML renames, and drops the old name."""
    last = pynvml.NVMLError(_NO_FUNCTION)
    for name, *arguments in calls:
        function = getattr(pynvml, name, None)
        if function is None:
            continue
        try:
            return int(function(handle, *arguments))
        except pynvml.NVMLError as error:
            if error.value not in (_NO_FUNCTION, _OTHER_VERSION):
                raise
            last = error
    raise last


def _instances(pynvml: Any, handle: Any) -> Iterator[dict[str, Any]]:
    for index in range(min(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle), _MIG_LIMIT)):
        try:
            device = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
        except pynvml.NVMLError as error:
            # The slots between two instances, and those after the last, are empty.
            if error.value in (_NOT_FOUND, 2):
                continue
            raise
        yield {
            "name": _text(pynvml.nvmlDeviceGetName(device)),
            "uuid": _text(pynvml.nvmlDeviceGetUUID(device)),
        }


def _links(pynvml: Any, handle: Any) -> list[int]:
    """How many links the GPU has, and how many are up."""
    states = []
    for link in range(_LINK_LIMIT):
        try:
            states.append(pynvml.nvmlDeviceGetNvLinkState(handle, link))
        except pynvml.NVMLError:
            if not states:
                raise
            break
    return [len(states), sum(map(bool, states))]


def _fabric(pynvml: Any, handle: Any) -> list[int]:
    """State and status: 3 and 0 when the GPU is registered with Fabric Manager."""
    info = pynvml.c_nvmlGpuFabricInfoV_t()
    info.version = pynvml.nvmlGpuFabricInfo_v2
    pynvml.nvmlDeviceGetGpuFabricInfoV(handle, ctypes.byref(info))
    # The state is one byte in NVML's header and four in its bindings.
    return [info.state & 0xFF, info.status]


def _licence(pynvml: Any, handle: Any) -> bool | None:
    """Whether a feature of a vGPU is licensed; None where the GPU is no vGPU, or its driver asks for no licence.

    https://docs.nvidia.com/deploy/nvml-api/group__nvmlGridQueries.html
    """
    if pynvml.nvmlDeviceGetVirtualizationMode(handle) != pynvml.NVML_GPU_VIRTUALIZATION_MODE_VGPU:
        return None
    said = pynvml.nvmlDeviceGetGridLicensableFeatures_v4(handle)
    rows = said.gridLicensableFeatures[: min(said.licensableFeaturesCount, len(said.gridLicensableFeatures))]
    return any(row.featureState for row in rows) if said.isGridLicenseSupported and rows else None


def _asked(pynvml: Any, ask: Any) -> Any:
    """The answer, or None where this device has none (memory on chips that share it with the CPU)."""
    try:
        return ask()
    except pynvml.NVMLError:
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _library_problem() -> str | None:
    # Loading pynvml costs more than all the rest, so the library is tried first, by the name that it uses.
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libnvidia-ml.so.1")
        except OSError as error:
            return str(error)
    return None


def _main() -> None:
    problem = _library_problem()
    if problem is not None and "No such file" in problem:
        print('{"error": "library-not-found", "detail": "there is no NVML library (libnvidia-ml)"}')
        return
    import json

    if problem is not None:
        print(json.dumps({"error": "library-unusable", "detail": problem}))
        return
    sys.path.append(sys.argv[1])
    import pynvml

    first = _first(pynvml)
    print(json.dumps(first), flush=True)
    if first.get("gpus"):
        print(json.dumps(_states(pynvml, first["gpus"])), flush=True)


if __name__ == "__main__":
    _main()
