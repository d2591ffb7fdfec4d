"""`resolve -r` of two projects' requirements beside `uv pip compile` of the same lines, interleaved, with a warm cache.

Usage: python benchmarks/stack.py [--rounds N]

Both read the same index for everything but torch. uv is given torch from PyPI, since its --torch-backend asks
download.pytorch.org for every package of PyTorch; torchdoctor chooses among all builds by the facts that it has. The
machine has an RTX 5090 and Python 3.12. Prints medians of wall and CPU seconds, and the ratio of each round.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from uv import find_uv_bin

PROJECTS = Path(__file__).parents[1] / "tests" / "projects" / "data" / "projects.json"
NAMES = ("comfyui", "llama-factory")
MACHINE = (
    "--platform",
    "manylinux_2_35_x86_64",
    "--python-version",
    "3.12",
    "--driver",
    "580.95",
    "--gpu",
    "RTX 5090",
)


def lines_of(name: str) -> list[str]:
    """The requirement lines of a project that have no extra."""
    project = next(row for row in json.loads(PROJECTS.read_text("utf-8")) if row["project"] == name)
    lines = next(iter(project["requires"].values()))
    return [line for line in lines if not line.startswith(("[", "uv."))]


def seconds(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of one process, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environ)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {
            **os.environ,
            "UV_CACHE_DIR": str(folder / "uv"),
            "TORCHDOCTOR_CACHE_DIR": str(folder / "cache"),
        }
        print(
            f"{'project':16} {'uv wall':>8} {'cpu':>6} {'ours wall':>10} {'cpu':>6}  ratio of wall, each round"
        )
        for project in NAMES:
            file = folder / f"{project}.txt"
            file.write_text("\n".join(lines_of(project)) + "\n", "utf-8")
            ours = [sys.executable, "-m", "torchdoctor", "resolve", "-r", str(file), *MACHINE, "--json"]
            theirs = [
                find_uv_bin(), "pip", "compile", str(file), "--python-platform", "x86_64-manylinux_2_35",
                "--python-version", "3.12", "--only-binary", ":all:", "--no-header", "--quiet", "-o",
                str(folder / "out"),
            ]  # fmt: skip
            seconds(theirs, environ)
            seconds(ours, environ)
            measured = []
            for _ in range(rounds):
                (folder / "out").unlink(missing_ok=True)
                measured.append((seconds(theirs, environ), seconds(ours, environ)))
            wall, cpu, own_wall, own_cpu = (
                statistics.median(pair[side][part] for pair in measured) for side in (0, 1) for part in (0, 1)
            )
            ratios = " ".join(f"{own[0] / other[0]:.2f}" for other, own in measured)
            print(f"{project:16} {wall:8.2f} {cpu:6.2f} {own_wall:10.2f} {own_cpu:6.2f}  {ratios}")


if __name__ == "__main__":
    main()
