"""How long the inventory of an environment takes, compared with collect_env: `python benchmarks/inventory.py ENV`.

Prints the CPU time of the inventory (three depths, best of five; the environment's interpreter runs in its own process,
listed separately) and of `python -m torch.utils.collect_env` in the same environment.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python
from torchdoctor.inventory import collect_inventory


def children():
    """CPU seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show(what, seconds, note=""):
    print(f"{what:24}{1000 * seconds:8.0f} ms  {note}".rstrip())


def main():
    folder = Path(sys.argv[1])
    system = host_system(os.environ)
    before = children()
    python = describe_python(system, folder / "bin" / "python")
    show("ask the interpreter", children() - before)
    for depth in ("list", "sizes", "hashes"):
        times = []
        for _ in range(1 if depth == "hashes" else 5):
            start = time.process_time()
            inventory = collect_inventory(system, python, here=folder, depth=depth)
            times.append(time.process_time() - start)
        show(f"inventory, {depth}", min(times), f"{len(inventory.distributions.value or ())} packages")
    before = children()
    command = [python.executable, "-m", "torch.utils.collect_env"]
    status = subprocess.run(command, capture_output=True, check=False).returncode
    show("collect_env", children() - before, f"status {status}")


if __name__ == "__main__":
    main()
