"""What the CPU can do at the most, measured: its clock by a dependent chain, its products a second by dtype.

Never a formula on the nominal clock: /proc/cpuinfo may say 2.6 GHz where the core runs at 3.65, and a core that has
512-bit instructions may take two cycles for each.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

from . import machine_code

__all__ = ["CpuLimits", "physical_cores"]

_SOURCE = Path(__file__).with_name("instructions.json")
# Of one call: above the timer's step, below the system's slice, so that some calls are undisturbed.
_SECONDS = 0.002
_FIRST = 2000


class CpuLimits:
    """Measures again with each `refresh` and keeps the best: what disturbs can only lower it."""

    def __init__(self) -> None:
        self._loops: list[tuple[str, str, Any, float]] = []
        self._best: dict[str, float] = {}
        self._together = 0.0
        self.why_not = _unfit()
        if self.why_not is None:
            try:
                self._prepare(_flags())
            except (OSError, ValueError, AttributeError) as error:
                self.why_not = "the system does not let memory be run: %s" % error  # noqa: UP031

    def _prepare(self, flags: set[str]) -> None:
        loop, cycles = machine_code.chain()
        self._loops.append(("clock", "imul chain", loop, float(cycles)))
        for row in json.loads(_SOURCE.read_text("utf-8"))["instructions"]:
            if flags.issuperset(row["flags"]):
                try:
                    loop, count = machine_code.products(bytes.fromhex(row["code"]), row["results"])
                except OSError:
                    continue
                self._loops.append((row["dtype"], row["name"], loop, float(count * row["operations"])))

    def refresh(self, times: int) -> None:
        """Measure every instruction so many times more, and float32 on all cores at once."""
        for dtype, name, loop, amount in self._loops:
            key = dtype + "|" + name
            for _ in range(times):
                self._best[key] = max(self._best.get(key, 0.0), _rate(loop, amount))
        widest = [row for row in self._loops if row[0] == "float32"]
        if widest:
            self._together = max(self._together, _together(widest[-1][2], widest[-1][3], physical_cores()))

    def facts(self) -> dict[str, Any]:
        """Of one core: GHz, and by dtype GFLOP/s with the instruction that reached it; `why` where unknown."""
        one: dict[str, Any] = {}
        for key, rate in self._best.items():
            dtype, _, name = key.partition("|")
            if dtype != "clock" and rate / 1e9 > one.get(dtype, {"gflops": 0.0})["gflops"]:
                one[dtype] = {"gflops": round(rate / 1e9, 1), "instruction": name}
        clock = next((rate for key, rate in self._best.items() if key.startswith("clock")), None)
        return {
            "clock_ghz": None if clock is None else round(clock / 1e9, 3),
            "one_core": one,
            "cores": physical_cores(),
            "all_cores_float32_gflops": round(self._together / 1e9, 1) or None,
            "why": self.why_not,
        }


def _unfit() -> str | None:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        return "the CPU's limits are measured on 64-bit x86 Linux only"
    return None if sys.maxsize > 2**32 else "the CPU's limits are measured in 64-bit processes only"


def _flags() -> set[str]:
    text = Path("/proc/cpuinfo").read_text("ascii", "replace")
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return set(line.partition(":")[2].split())


def _rate(loop: Callable[[int], None], amount: float) -> float:
    """Amounts a second, over a call of a few milliseconds."""
    count = _FIRST
    while True:
        start = time.perf_counter()
        loop(count)
        taken = time.perf_counter() - start
        if taken > _SECONDS / 4:
            return amount * count / taken
        count *= 4


def _together(loop: Callable[[int], None], amount: float, cores: int) -> float:
    count = int(_rate(loop, amount) * _SECONDS / amount)
    ready = threading.Barrier(cores + 1)

    def work() -> None:
        ready.wait()
        loop(count)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(cores)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return cores * amount * count / (time.perf_counter() - start)


def physical_cores() -> int:
    """Cores this process may use, siblings of a core counted once, and no more than its container's quota."""
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:
        return os.cpu_count() or 1
    cores = set()
    for cpu in usable:
        try:
            topology = Path("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list" % cpu)  # noqa: UP031
            cores.add(topology.read_text("ascii").strip())
        except OSError:
            cores.add(str(cpu))
    return max(1, min(len(cores), _quota()))


def _quota() -> int:
    """Whole cores that the control group allows (https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max)."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return 1 << 20
