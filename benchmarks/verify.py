"""`torchdoctor verify` compared with a bare `import torch` in the same environment, interleaved in one run.

Usage: python benchmarks/verify.py ENV [--rounds N]

Prints what the quick and the full verification (without torch.compile) take beyond the import, and the slowest checks.
The limits are 1.5 s and 10 s on two quiet cores; the best round is the one that other work disturbed least.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMITS = {"verify --quick": 1.5, "verify --skip compile": 10.0}


def main() -> None:
    """Time each command in turn and print median and best, beyond the import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    program = [sys.executable, "-m", "torchdoctor"]
    commands = {
        "import torch": [str(asked.env / "bin" / "python"), "-c", "import torch"],
        "verify --quick": [*program, "verify", str(asked.env), "--quick", "-q"],
        "verify --skip compile": [*program, "verify", str(asked.env), "--skip", "compile", "-q"],
    }
    figures: dict[str, list[float]] = {name: [] for name in commands}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.rounds} rounds")
    for _ in range(asked.rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            figures[name].append(time.perf_counter() - started)
    base = figures["import torch"]
    for name, seconds in figures.items():
        line = f"{name:22} median {statistics.median(seconds):5.2f} s  best {min(seconds):5.2f} s"
        if name in LIMITS:
            beyond = [whole - alone for whole, alone in zip(seconds, base, strict=True)]
            line += (
                f"  beyond the import: median {statistics.median(beyond):5.2f} s  best {min(beyond):5.2f} s"
            )
            line += f"  (limit {LIMITS[name]:.1f} s)"
        print(line)


if __name__ == "__main__":
    main()
