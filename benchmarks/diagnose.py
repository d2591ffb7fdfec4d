"""`diagnose`: the confusion table over recorded reports, and the process time of a report of 200 lines.

Usage: python benchmarks/diagnose.py [--rounds N]
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
from collections import Counter
from pathlib import Path

from torchdoctor.diagnose import diagnose_text

CASES = Path(__file__).parents[1] / "tests" / "cases"
LINES = 200


def main() -> None:
    """Print which reports are judged right, what the others are taken for, and the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    table()
    times(rounds)


def table() -> None:
    """The first finding against the established cause, by how the cause is known."""
    rows = [json.loads(path.read_text("utf-8")) for path in sorted((CASES / "reports").glob("*.json"))]
    outcomes: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for row in rows:
        found = [one.id for one in diagnose_text("\n".join(row["evidence"].values())).findings]
        right = found[:1] and found[0] in row["cause"]
        among = set(found[:3]) & set(row["cause"])
        outcome = "first" if right else "among three" if among else "elsewhere" if found else "none"
        outcomes[row["basis"], outcome] += 1
        if not right:
            wrong.append(
                f"  {row['cause'][0]:32} taken for {found[0] if found else 'nothing'}  ({row['source_url']})"
            )
    names = ("first", "among three", "elsewhere", "none")
    print(f"{'cause known from':18}{''.join(f'{name:>14}' for name in names)}")
    for basis in sorted({basis for basis, _ in outcomes}):
        print(f"{basis:18}{''.join(f'{outcomes[basis, name]:>14}' for name in names)}")
    first = sum(count for (_, name), count in outcomes.items() if name == "first")
    print(
        f"{'all':18}{''.join(f'{sum(c for (_, n), c in outcomes.items() if n == name):>14}' for name in names)}"
    )
    print(f"right first: {first} of {len(rows)} ({100 * first / len(rows):.1f} %)")
    print("\n".join(["the others:", *wrong]))


def times(rounds: int) -> None:
    """Process time (user and system) of `torchdoctor diagnose FILE`, a process each."""
    text = report()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.txt"
        file.write_text(text, "utf-8")
        command = [str(Path(sys.executable).with_name("torchdoctor")), "diagnose", str(file), "--json"]
        # As after an installation: bytecode is there.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run(command, check=False, capture_output=True, env=environment)
        used = []
        for _ in range(rounds):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=False, capture_output=True, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(
        f"a report of {len(text.splitlines())} lines: process time median "
        f"{statistics.median(used) * 1000:.0f} ms, best {min(used) * 1000:.0f} ms (target 150 ms)"
    )


def report() -> str:
    """A collect_env report with a problem in it, filled up with the lines that such reports have."""
    text = json.loads((CASES / "long_report.json").read_text("utf-8"))
    return "\n".join(text["lines"][:LINES]) + "\n"


if __name__ == "__main__":
    main()
