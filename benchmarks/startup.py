"""Start-up: `torchdoctor --version` compared with an empty click command and bare Python, interleaved in one run.

Usage: python benchmarks/startup.py [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

EMPTY = "import click\n@click.command()\n@click.version_option('1')\ndef main(): pass\nmain()"


def main() -> None:
    """Time each command in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "empty click command": [sys.executable, "-c", EMPTY, "--version"],
        "torchdoctor --version": [str(Path(sys.executable).with_name("torchdoctor")), "--version"],
    }
    figures: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            figures[name].append(time.perf_counter() - started)
    base = statistics.median(figures["empty click command"])
    for name, seconds in figures.items():
        middle = statistics.median(seconds)
        print(
            f"{name:24} median {middle * 1000:6.1f} ms  [{min(seconds) * 1000:.1f}]  {middle / base:.2f}x click"
        )


if __name__ == "__main__":
    main()
