"""Compare the figures of `torchdoctor bench` with torch.utils.benchmark, and show how well they repeat.

`python benchmarks/bench.py ENV` alternates its rounds with plain `Timer.blocked_autorange` on the same tensors, threads
and process, then runs `torchdoctor bench` ten times and prints the spread of its figures. Each line has the
share of CPU time that it got: below 0.97 the machine was busy, and the figure says little.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

PROBE = Path(__file__).parent.parent / "torchdoctor" / "probe"

# Runs in the environment: the probe's own cases and rounds, alternating with those of torch.utils.benchmark.
SIDE_BY_SIDE = """
import importlib, importlib.util, json, sys
from pathlib import Path
folder, names, turns = Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])
spec = importlib.util.spec_from_file_location("probe", folder / "__init__.py", submodule_search_locations=[str(folder)])
sys.modules["probe"] = importlib.util.module_from_spec(spec)
import torch
from torch.utils.benchmark import Timer
registry = importlib.import_module("probe.bench.registry")
timing = importlib.import_module("probe.bench.timing")
cpu_share = importlib.import_module("probe.bench.cpu_share")
for step in registry.BENCH:
    if step.id not in names:
        continue
    work = step.run(torch, "cpu")
    threads = work.threads or torch.get_num_threads()
    peer = Timer("call()", globals={"call": work.call}, num_threads=threads)
    rows = []
    for _ in range(turns):
        ours = timing.one_round(torch, work, "cpu", 0.3)
        meter = cpu_share.CpuShareMeter(threads)
        theirs = peer.blocked_autorange(min_run_time=0.3)
        rows.append([sorted(ours.times), ours.cpu_share, sorted(theirs.times), meter.share()])
    print(json.dumps({"case": step.id, "threads": threads, "rows": rows}), flush=True)
"""

CASES = (
    "matmul-one-thread-float32", "matmul-one-thread-bfloat16", "matmul-float32", "matmul-bfloat16", "conv",
    "cnn-training", "memory-copy", "launch",
)  # fmt: skip
ONE_THREAD = ("matmul-one-thread-float32", "matmul-one-thread-bfloat16", "autograd", "launch")


def side_by_side(python: Path, turns: int) -> None:
    command = [python, "-I", "-B", "-c", SIDE_BY_SIDE, PROBE, ",".join(CASES), str(turns)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(f"{'case':28} threads  ours/Timer: median    best   share of CPU")
    for line in done.stdout.splitlines():
        found = json.loads(line)
        rows = found["rows"]
        medians = [statistics.median(statistics.median(row[side]) for row in rows) for side in (0, 2)]
        bests = [min(row[side][len(row[side]) // 10] for row in rows) for side in (0, 2)]
        shares = [row[side] or 1.0 for row in rows for side in (1, 3)]
        print(
            f"{found['case']:28} {found['threads']:7}  {medians[0] / medians[1]:18.3f} {bests[0] / bests[1]:7.3f}"
            f"   {min(shares):.2f} to {max(shares):.2f}"
        )


def repeats(env: Path, runs: int) -> None:
    only = [part for name in ONE_THREAD for part in ("--only", name)]
    seen: dict[str, list[dict]] = {}
    for _ in range(runs):
        command = [
            sys.executable,
            "-m",
            "torchdoctor",
            "bench",
            str(env),
            "--quick",
            "--device",
            "cpu",
            *only,
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for row in json.loads(done.stdout)["results"]:
            seen.setdefault(f"{row['id']} {row['dtype']}", []).append(row)
    print(f"\n{'one thread, ' + str(runs) + ' runs':34} median: spread   best: spread   share of CPU")
    for name, rows in seen.items():
        spreads = [spread([row[key] for row in rows]) for key in ("value", "best_value")]
        shares = [row["cpu_share"] for row in rows]
        print(f"{name:34} {spreads[0]:14.1%} {spreads[1]:14.1%}   {min(shares):.2f} to {max(shares):.2f}")


def spread(values: list[float]) -> float:
    """Half of what lies between the smallest and the largest, against the median."""
    return (max(values) - min(values)) / 2 / statistics.median(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env", type=Path, help="an environment with torch")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    side_by_side(arguments.env / "bin" / "python", arguments.turns)
    repeats(arguments.env, arguments.runs)


if __name__ == "__main__":
    main()
