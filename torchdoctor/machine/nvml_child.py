"""Runs in a process of its own and prints what NVML says as one JSON line: a driver that hangs, hangs here."""

# ruff: noqa: T201
from __future__ import annotations

import ctypes
import sys

# typing and json cost as much as the rest, and most machines have no NVIDIA driver.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []

_GPU_LIMIT = 1024


def _answer(folder: str) -> dict[str, Any]:
    # Loading pynvml costs more than all the rest, so the library is tried first, by the name that it uses.
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libnvidia-ml.so.1")
        except OSError as error:
            missing = "No such file" in str(error)
            return {"error": "library-not-found" if missing else "library-unusable", "detail": str(error)}
    sys.path.append(folder)
    import pynvml

    try:
        pynvml.nvmlInit()
        return {
            "driver": _text(pynvml.nvmlSystemGetDriverVersion()),
            "gpus": [_gpu(pynvml, index) for index in range(min(pynvml.nvmlDeviceGetCount(), _GPU_LIMIT))],
        }
    except pynvml.NVMLError as error:
        return {"error": _ERRORS.get(error.value, "nvml"), "code": error.value, "detail": str(error)}


# nvmlReturn_t, https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html
_ERRORS = {9: "driver-not-loaded", 12: "library-not-found", 18: "version-mismatch"}


def _gpu(pynvml: Any, index: int) -> dict[str, Any]:
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        name = _text(pynvml.nvmlDeviceGetName(handle))
    except pynvml.NVMLError as error:
        return {"error": str(error)}
    return {
        "name": name,
        "capability": _asked(pynvml, lambda: list(pynvml.nvmlDeviceGetCudaComputeCapability(handle))),
        "memory": _asked(pynvml, lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)),
    }


def _asked(pynvml: Any, ask: Any) -> Any:
    """The answer, or None where this device has none (memory on chips that share it with the CPU)."""
    try:
        return ask()
    except pynvml.NVMLError:
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    answer = _answer(sys.argv[1])
    if answer.get("error") == "library-not-found":
        print('{"error": "library-not-found", "detail": "there is no NVML library (libnvidia-ml)"}')
    else:
        import json

        print(json.dumps(answer))
