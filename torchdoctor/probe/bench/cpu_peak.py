"""Measures the peak of the CPU: its clock by a dependent chain, its multiplications a second by dtype.

The peak is measured because no formula gives it: /proc/cpuinfo may say 2.6 GHz where the core runs at 3.65, and a core
with 512-bit instructions may take two cycles for each. Without it `bench` could not say whether a CPU figure is good.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import json
import os
import platform
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

from ..control_groups import allowed_processors
from . import machine_code

__all__ = ["CpuLimits", "physical_cores"]

_SOURCE = Path(__file__).with_name("instructions.json")
# Of one call: above the timer's step, below the scheduler's slice, so that some calls are undisturbed.
_CALL_SECONDS = 0.002
_FIRST_COUNT = 2000


class CpuLimits:
    """Measures again with each `refresh` and keeps the highest rate: a disturbance can only lower it."""

    def __init__(self) -> None:
        self._loops: list[tuple[str, str, Any, float]] = []
        self._best: dict[str, float] = {}
        self._all_cores = 0.0
        self._unknown_reason = _unsupported_reason()
        if self._unknown_reason is None:
            try:
                self._prepare(_flags())
            except (OSError, ValueError, AttributeError) as error:
                self._unknown_reason = "the system does not let memory be run: %s" % error  # noqa: UP031

    def _prepare(self, flags: set[str]) -> None:
        loop, cycles = machine_code.chain()
        self._loops.append(("clock", "imul chain", loop, float(cycles)))
        for instruction in json.loads(_SOURCE.read_text("utf-8"))["instructions"]:
            if flags.issuperset(instruction["flags"]):
                try:
                    loop, count = machine_code.products(
                        bytes.fromhex(instruction["code"]), instruction["results"]
                    )
                except OSError:
                    continue
                operations = float(count * instruction["operations"])
                self._loops.append((instruction["dtype"], instruction["name"], loop, operations))

    def refresh(self, times: int) -> None:
        """Measure every instruction `times` times more, and float32 on all cores at once."""
        for dtype, name, loop, amount in self._loops:
            key = dtype + "|" + name
            for _ in range(times):
                self._best[key] = max(self._best.get(key, 0.0), _rate(loop, amount))
        float32 = [(loop, amount) for dtype, _, loop, amount in self._loops if dtype == "float32"]
        if float32:
            # The last instruction is the widest.
            loop, amount = float32[-1]
            self._all_cores = max(self._all_cores, _rate_on_cores(loop, amount, physical_cores()))

    def facts(self) -> dict[str, Any]:
        """Return GHz and, by dtype, GFLOP/s of one core with the instruction that reached them; `why` if unknown."""
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
            "all_cores_float32_gflops": round(self._all_cores / 1e9, 1) or None,
            "why": self._unknown_reason,
        }


def _unsupported_reason() -> str | None:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        return "the CPU's limits are measured on 64-bit x86 Linux only"
    return None if sys.maxsize > 2**32 else "the CPU's limits are measured in 64-bit processes only"


def _flags() -> set[str]:
    text = Path("/proc/cpuinfo").read_text("ascii", "replace")
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return set(line.partition(":")[2].split())


def _rate(loop: Callable[[int], None], amount: float) -> float:
    """Return `amount` times the loop's passes a second, over a call of a few milliseconds."""
    count = _FIRST_COUNT
    while True:
        start = time.perf_counter()
        loop(count)
        taken = time.perf_counter() - start
        if taken > _CALL_SECONDS / 4:
            return amount * count / taken
        count *= 4


def _rate_on_cores(loop: Callable[[int], None], amount: float, cores: int) -> float:
    count = int(_rate(loop, amount) * _CALL_SECONDS / amount)
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
    """Return the cores that this process may use: siblings count once, and a container's quota is the limit."""
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
    quota = allowed_processors()
    return len(cores) if quota is None else max(1, min(len(cores), round(quota)))
