"""Runs in a process of its own and prints what NVML says of every GPU, a JSON line a quarter of a second.

It ends with whoever started it, or when there is no driver to ask. Meanings: https://docs.nvidia.com/deploy/nvml-api/.
"""

# ruff: noqa: T201
from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

__all__: list[str] = []

_EVERY = 0.25


def main(folder: str) -> None:
    """Print until the parent is gone."""
    sys.path.append(folder)
    import pynvml

    parent = os.getppid()
    pynvml.nvmlInit()
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    while os.getppid() == parent:
        print(json.dumps([_gpu(pynvml, handle) for handle in handles]), flush=True)
        time.sleep(_EVERY)


def _gpu(pynvml: Any, handle: Any) -> dict[str, Any]:
    def asked(ask: Any, *arguments: Any) -> Any:
        try:
            return ask(handle, *arguments)
        except (pynvml.NVMLError, AttributeError):
            return None

    name, power, limit = (
        asked(ask)
        for ask in (
            pynvml.nvmlDeviceGetName,
            pynvml.nvmlDeviceGetPowerUsage,
            pynvml.nvmlDeviceGetPowerManagementLimit,
        )
    )
    return {
        "name": name.decode("utf-8", "replace") if isinstance(name, bytes) else name,
        "clock_mhz": asked(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM),
        "highest_clock_mhz": asked(pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM),
        "temperature_c": asked(pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU),
        "power_w": None if power is None else power / 1000,
        "power_limit_w": None if limit is None else limit / 1000,
        "reasons": asked(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons),
    }


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:  # noqa: BLE001  # no driver, a driver too old: there is nothing to tell
        sys.exit(str(error))
