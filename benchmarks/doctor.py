"""`doctor` on an environment without faults, compared with env-doctor and cuda-doctor on the same environment.

Usage: python benchmarks/doctor.py --real ENV [--rivals ENV] [--rounds N]

`--real` and `--rivals` are as for `rivals.py`. CPU time includes child processes. The target of 300 ms is for `doctor`
without the import of torch; the other tools import torch, so compare them with the line `with import`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

TARGET = 0.300


def main() -> None:
    """Run each in turn, round by round, and print medians and the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--rivals", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()

    ours = [sys.executable, "-m", "torchdoctor", "doctor", asked.real, "--no-network", "-q"]
    runs = {
        "torchdoctor, no import": ([*ours, "--no-import"], {}),
        "torchdoctor, with import": (ours, {}),
    }
    if asked.rivals:
        from benchmarks.rivals import CALL, PEERS

        site = next(asked.rivals.glob("lib/python*/site-packages"))
        for name, words in PEERS.items():
            runs[name] = ([asked.real / "bin" / "python", "-c", CALL, *words], {"PYTHONPATH": str(site)})
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(asked.rounds):
        for name, (command, environ) in runs.items():
            times[name].append(_timed(list(map(str, command)), {**os.environ, **environ}))
    for name, rows in times.items():
        cpu, wall = (sorted(row[place] for row in rows) for place in (0, 1))
        verdict = ""
        if name.endswith("no import"):
            verdict = f"  target {TARGET * 1000:.0f} ms: {'kept' if wall[0] <= TARGET else 'missed'} at best"
        print(
            f"{name:26} processor {statistics.median(cpu) * 1000:6.0f} ms (best {cpu[0] * 1000:.0f})   "
            f"wall {statistics.median(wall) * 1000:6.0f} ms (best {wall[0] * 1000:.0f}){verdict}"
        )


def _timed(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, env=environ, stdin=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


if __name__ == "__main__":
    main()
