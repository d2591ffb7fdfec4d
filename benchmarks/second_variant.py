"""What a second variant costs where the first does not go with a stack, as `resolve -r` tries them.

Usage: python benchmarks/second_variant.py [--rounds N] [--recording DIR]

For two projects on a machine with an RTX 5090 torch is first chosen among the builds of the best family, then
among those of the next one, by the same solver. PyPI is recorded, and answers after 30 ms; uv's cache holds its
pages, which are to be asked for again. Prints medians of wall and CPU seconds of both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from recorded_index import RecordedIndex
from stack import NAMES, OLD_SECONDS, lines_of

from torchdoctor.core.progress import SilentReporter
from torchdoctor.detect import machine_from_options
from torchdoctor.lock.model import LockRequest
from torchdoctor.lock.target import target_of
from torchdoctor.requirements import StackOptions, read_stack
from torchdoctor.resolve import Request
from torchdoctor.resolve.offline import offered_by_facts
from torchdoctor.resolve.select import rank
from torchdoctor.sources import Source, Sources
from torchdoctor.workflows.stack import lock_request_for_stack, request_for_machine
from torchdoctor.workflows.stack_model import StackTask
from torchdoctor.workflows.stack_solve import StackSolver
from wheels_index import bundled

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call, uv's included."""
    before = sum(os.times()[:4])
    started = time.perf_counter()
    work()
    return time.perf_counter() - started, sum(os.times()[:4]) - before


def solves(name: str, folder: Path, url: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """What the first and the second variant of a project take."""
    machine = machine_from_options(
        platform="manylinux_2_35_x86_64",
        python_version="3.12",
        libc=None,
        driver="580.95",
        gpus=("RTX 5090",),
    )
    file = folder / f"{name}.txt"
    file.write_text("\n".join(lines_of(name)) + "\n", "utf-8")
    stack = read_stack(StackOptions(files=(str(file),)), environ={}, folder=folder, ask=lambda _: True)
    report = SilentReporter()
    asked, stack = request_for_machine(Request(), stack, machine, report)
    pypi = Source(name="PyPI", url=f"{url}/simple/", layout="simple", origin="the benchmark")
    request = LockRequest(
        python=Path(sys.executable),
        sources=Sources(torch=(), indexes=(), default_index=pypi, find_links=()),
        environ={"PATH": os.environ["PATH"], "HOME": str(folder), "UV_CACHE_DIR": str(folder / "uv")},
        machine=machine,
        target=target_of(machine),
    )
    with tempfile.TemporaryDirectory() as run_dir:
        task = StackTask(
            stack=stack, lock_request=lock_request_for_stack(request, stack), run_dir=Path(run_dir)
        )
        solver = StackSolver(task, asked, report)
        candidates = rank(machine, asked, bundled()).candidates
        times = []
        for variant in list(dict.fromkeys(candidate.variant for candidate in candidates))[:2]:
            of_variant = [candidate for candidate in candidates if candidate.variant == variant]
            times.append(
                timed(lambda: solver.solve(offered_by_facts(of_variant, machine, asked, bundled())))  # noqa: B023
            )
    return times[0], times[1]


def main() -> None:
    """Print a line for each project."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--recording", metavar="DIR", help="keep what PyPI said there, and read it there again"
    )
    arguments = parser.parse_args()
    recording = Path(arguments.recording or tempfile.mkdtemp())
    recording.mkdir(parents=True, exist_ok=True)
    pypi = RecordedIndex(recording)
    pypi.page_seconds = OLD_SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for project in NAMES:
            solves(project, folder, pypi.url)  # records
            pypi.latency = 0.03
            rows = []
            for _ in range(arguments.rounds):
                time.sleep(OLD_SECONDS + 0.5)
                rows.append(solves(project, folder, pypi.url))
            pypi.latency = 0.0
            first, cpu, second, more = (
                statistics.median(row[number][part] for row in rows) for number in (0, 1) for part in (0, 1)
            )
            ratio = statistics.median(row[1][0] / row[0][0] for row in rows)
            print(
                f"{project:16} first variant {first:5.2f} s, CPU {cpu:4.2f} s"
                f"  second {second:5.2f} s, CPU {more:4.2f} s"
                f"  ratio of wall {ratio:4.2f}, of CPU {more / cpu:4.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
