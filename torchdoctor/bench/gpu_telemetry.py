"""What the GPUs went through while a case ran: clocks, temperature, power, and why the clock was held back."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["GpuWatch", "reasons_in", "summary"]

_CHILD = Path(__file__).with_name("_telemetry_script.py")
_LONGEST = 1 << 16
# nvmlClocksEventReasons; idle (0x1) and a clock that somebody set (0x2) are no reasons for a low figure of work.
_REASONS = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "thermal slowdown",
    0x40: "thermal slowdown by the hardware",
    0x80: "power brake",
}


class GpuWatch:
    """Starts with the first mark on a CUDA device; a case's samples are those taken between its marks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._process: subprocess.Popen[str] | None = None
        self._case = ""
        self._samples: dict[str, list[list[dict[str, Any]]]] = {}

    def mark(self, case: str, environment: Mapping[str, Any]) -> None:
        """From now on this case is at work."""
        self._case = case
        devices = environment.get("devices") or ()
        if self._process is None and environment.get("cuda") and len(devices) > 1:
            self._start()

    def seen(self, case: str, device: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The summary of the case on the device, an entry of the environment's `devices`; None without samples."""
        if device is None or not str(device.get("device")).startswith("cuda:"):
            return None
        place = _place(str(device["device"]), self._environ)
        rows = [
            sample[place]
            for sample in self._samples.get(case, ())
            if place is not None and place < len(sample)
        ]
        # Where the numbers are dealt out in another way it is another GPU: better nothing than the wrong one's.
        return summary([row for row in rows if row.get("name") == device.get("name")])

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def _start(self) -> None:
        spec = find_spec("pynvml")
        if spec is None or spec.origin is None:
            return
        command = [sys.executable, "-I", "-B", str(_CHILD), str(Path(spec.origin).parent)]
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                env={**self._environ, "PATH": self._environ.get("PATH", os.defpath)},
            )  # fmt: skip
            threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process is not None  # noqa: S101  # started above
        assert self._process.stdout is not None  # noqa: S101  # piped above
        with self._process.stdout as stream:
            while line := stream.readline(_LONGEST):
                with contextlib.suppress(ValueError):
                    sample = json.loads(line)
                    if isinstance(sample, list):
                        self._samples.setdefault(self._case, []).append(sample)


def _place(device: str, environ: Mapping[str, str]) -> int | None:
    """NVML's number of torch's device; None where CUDA_VISIBLE_DEVICES names GPUs in another way."""
    number = int(device.partition(":")[2])
    visible = [part.strip() for part in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
    if not visible:
        return number
    return int(visible[number]) if number < len(visible) and visible[number].isdecimal() else None


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Median clock, highest temperature and power, and every reason seen."""
    if not rows:
        return None

    def known(key: str) -> list[float]:
        return [row[key] for row in rows if isinstance(row.get(key), (int, float))]

    clocks = known("clock_mhz")
    held = {reason for row in rows for reason in reasons_in(row.get("reasons"))}
    return {
        "samples": len(rows),
        "clock_mhz": median(clocks) if clocks else None,
        **{key: max(known(key), default=None) for key in
           ("highest_clock_mhz", "temperature_c", "power_w", "power_limit_w")},
        "throttle_reasons": sorted(held),
    }  # fmt: skip


def reasons_in(bits: Any) -> list[str]:
    """The reasons whose bits are set."""
    return [reason for bit, reason in _REASONS.items() if isinstance(bits, int) and bits & bit]
