"""CPU time of detection, with child processes, compared with `python -m torch.utils.collect_env`.

Usage: python benchmarks/detect.py [--rounds N] [--torch-python PATH]

The machine has eight H100, simulated by the tests' own NVML library, which the system's C compiler builds.
`--torch-python` names an interpreter with torch; without it collect_env is not measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

LIMITS = {"no driver": 0.060, "eight GPUs": 0.150}


def main() -> None:
    """Measure each in turn and print medians, and whether the best keeps its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--torch-python", default=None)
    asked = parser.parse_args()

    from tests.detect.nvml import EIGHT_H100, build, nvml_system
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import describe_python, detect

    real = host_system(os.environ)
    python = describe_python(real, sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        worlds = {"no driver": real}
        library = build(Path(folder))
        if library is not None:
            worlds["eight GPUs"] = nvml_system(library, Path(folder), EIGHT_H100)
        runs = {name: lambda system=system: detect(system, python=python) for name, system in worlds.items()}
        for run in runs.values():
            run()
        rows = _measure(runs, asked.rounds)
    for name, (cpu, wall) in rows.items():
        _say(name, cpu, wall, LIMITS[name])
    if asked.torch_python:
        command = [asked.torch_python, "-m", "torch.utils.collect_env"]
        run = {"collect_env": lambda: subprocess.run(command, check=True, capture_output=True)}
        for name, (cpu, wall) in _measure(run, 3).items():
            _say(name, cpu, wall, None)


def _measure(runs, rounds):
    """Seconds of processor and by the clock, of each run in each round, interleaved."""
    figures = {name: ([], []) for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            cpu, wall = _cpu(), time.perf_counter()
            run()
            figures[name][0].append(_cpu() - cpu)
            figures[name][1].append(time.perf_counter() - wall)
    return figures


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(row.ru_utime + row.ru_stime for row in used)


def _say(name, cpu, wall, limit) -> None:
    line = (
        f"{name:12} processor: median {statistics.median(cpu) * 1000:7.1f} ms, best {min(cpu) * 1000:7.1f} ms"
    )
    line += f"   clock: median {statistics.median(wall) * 1000:7.1f} ms"
    if limit is not None:
        line += f"   limit {limit * 1000:.0f} ms: {'kept' if min(cpu) <= limit else 'BROKEN'}"
    print(line)


if __name__ == "__main__":
    main()
