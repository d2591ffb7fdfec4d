"""Runs in a process of its own and prints what NVML reports of every GPU, one JSON line each quarter of a second.

It ends with its parent, or when there is no driver. Meanings: https://docs.nvidia.com/deploy/nvml-api/.
"""

# ruff: noqa: T201
from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

__all__: list[str] = []

_INTERVAL_SECONDS = 0.25


def main(folder: str) -> None:
    """Print until the parent is gone."""
    sys.path.append(folder)
    import pynvml

    parent = os.getppid()
    pynvml.nvmlInit()
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    while os.getppid() == parent:
        print(json.dumps([_gpu(pynvml, handle) for handle in handles]), flush=True)
        time.sleep(_INTERVAL_SECONDS)


def _gpu(pynvml: Any, handle: Any) -> dict[str, Any]:
    def query(function: Any, *arguments: Any) -> Any:
        try:
            return function(handle, *arguments)
        except (pynvml.NVMLError, AttributeError):
            return None

    name, power, limit = (
        query(function)
        for function in (
            pynvml.nvmlDeviceGetName,
            pynvml.nvmlDeviceGetPowerUsage,
            pynvml.nvmlDeviceGetPowerManagementLimit,
        )
    )
    return {
        "name": name.decode("utf-8", "replace") if isinstance(name, bytes) else name,
        "clock_mhz": query(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM),
        "highest_clock_mhz": query(pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM),
        "temperature_c": query(pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU),
        "power_w": None if power is None else power / 1000,
        "power_limit_w": None if limit is None else limit / 1000,
        "reasons": query(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons),
    }


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:  # noqa: BLE001  # no driver, a driver too old: there is nothing to report
        sys.exit(str(error))
