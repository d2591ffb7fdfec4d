"""Telemetry of the GPUs while a case runs: clocks, temperature, power, and why the clock was held back."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from torchdoctor.core.system.process import PIPE, ManagedProcess, read_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["GpuTelemetry", "summarize", "throttle_reasons"]

_SCRIPT = Path(__file__).with_name("_telemetry_script.py")
# nvmlClocksEventReasons (https://docs.nvidia.com/deploy/nvml-api/). Idle (0x1) and a clock that somebody set (0x2) do
# not explain a low figure.
_REASONS = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "thermal slowdown",
    0x40: "thermal slowdown by the hardware",
    0x80: "power brake",
}


class GpuTelemetry:
    """Samples all GPUs in a process of its own, from the first case on a CUDA device on."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._process: ManagedProcess | None = None
        self._case = ""
        self._samples: dict[str, list[list[dict[str, Any]]]] = {}

    def start_case(self, case: str, environment: Mapping[str, Any]) -> None:
        """Count the samples from now on for this case."""
        self._case = case
        devices = environment.get("devices") or ()
        if self._process is None and environment.get("cuda") and len(devices) > 1:
            self._start()

    def of_case(self, case: str, device: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return the summary of a case on a device (an entry of the environment's `devices`); None without samples."""
        if device is None or not str(device.get("device")).startswith("cuda:"):
            return None
        number = _nvml_number(str(device["device"]), self._environ)
        samples = [
            sample[number]
            for sample in self._samples.get(case, ())
            if number is not None and number < len(sample)
        ]
        # Another name means that torch numbers the GPUs differently: better nothing than the wrong one's figures.
        return summarize([sample for sample in samples if sample.get("name") == device.get("name")])

    def stop(self) -> None:
        """End the sampling process."""
        if self._process is not None:
            self._process.kill()

    def _start(self) -> None:
        spec = find_spec("pynvml")
        if spec is None or spec.origin is None:
            return
        command = (sys.executable, "-I", "-B", str(_SCRIPT), str(Path(spec.origin).parent))
        environ = {**self._environ, "PATH": self._environ.get("PATH", os.defpath)}
        with contextlib.suppress(OSError):
            self._process = ManagedProcess(command, environ=environ, stdout=PIPE)
            read_lines(self._process.stdout, self._take)

    def _take(self, line: bytes) -> None:
        with contextlib.suppress(ValueError):
            sample = json.loads(line)
            if isinstance(sample, list):
                self._samples.setdefault(self._case, []).append(sample)


def _nvml_number(device: str, environ: Mapping[str, str]) -> int | None:
    """Return NVML's number of torch's device; None where CUDA_VISIBLE_DEVICES does not list plain numbers."""
    number = int(device.partition(":")[2])
    visible = [part.strip() for part in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
    if not visible:
        return number
    return int(visible[number]) if number < len(visible) and visible[number].isdecimal() else None


def summarize(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the median clock, highest temperature and power, and every throttle reason; None without samples."""
    if not samples:
        return None

    def known(key: str) -> list[float]:
        return [sample[key] for sample in samples if isinstance(sample.get(key), (int, float))]

    clocks = known("clock_mhz")
    reasons = {reason for sample in samples for reason in throttle_reasons(sample.get("reasons"))}
    return {
        "samples": len(samples),
        "clock_mhz": median(clocks) if clocks else None,
        **{key: max(known(key), default=None) for key in
           ("highest_clock_mhz", "temperature_c", "power_w", "power_limit_w")},
        "throttle_reasons": sorted(reasons),
    }  # fmt: skip


def throttle_reasons(bits: Any) -> list[str]:
    """Return the reasons whose bits are set."""
    return [reason for bit, reason in _REASONS.items() if isinstance(bits, int) and bits & bit]
