"""How often likeness alone names the failure of a report, and what it adds behind the rules.

Usage: python benchmarks/likeness_accuracy.py

Each labelled text of the table is looked up without itself and without the other texts of its thread; those of
tests/cases/retold, unread and further.toml are not in the table at all.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from diagnosis_accuracy import CASES, DEFAULT, cases_of

from torchdoctor.diagnose import diagnose
from torchdoctor.diagnose.like_reports import with_like_reports
from torchdoctor.diagnose.likeness_table import HEALTHY, shipped_table
from torchdoctor.diagnose.parsers.parse import parse_report

if TYPE_CHECKING:
    from pathlib import Path

IN_TABLE = (*(path for path in sorted(CASES.glob("*.toml")) if path not in DEFAULT), CASES / "reports")


def main() -> int:
    """Print a table for the texts that are in the table, and one for those that are not."""
    for title, paths, unseen in (
        ("left out one by one", IN_TABLE, False),
        ("not in the table", DEFAULT, True),
    ):
        print(title)
        for name, value in numbers(paths, unseen=unseen).items():
            print(f"  {name:52}{value}")
    return 0


def numbers(paths: tuple[Path, ...], *, unseen: bool) -> dict[str, str]:
    """Return the counts of the cases of some files."""
    cases = [case for path in paths for case in cases_of(path)]
    threads: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for case in cases:
        threads.setdefault(case.name, []).append((case.text, case.cause))
    counted: Counter[str] = Counter()
    table, took = shipped_table(), []
    for case in cases:
        without = [] if unseen else threads[case.name]
        evidence = parse_report(case.text)
        begun = time.process_time()
        like = [one.failure for one in table.like(case.text, without) if not one.failure.startswith(HEALTHY)]
        took.append(time.process_time() - begun)
        found = diagnose(evidence)
        added = with_like_reports(found, evidence, str, table, without).possible[len(found.possible) :]
        kind = "labelled" if case.cause else "healthy" if case.healthy else "others"
        counted[kind] += 1
        counted[f"{kind} with added"] += bool(added)
        if case.cause:
            place = next((place for place, name in enumerate(like) if name in case.cause), 99)
            for most in (1, 3, 5):
                counted[f"among {most}"] += place < most
            counted["added right"] += any(one.id in case.cause for one in added)
            shown = [one.id for one in found.in_order]
            right = any(name in case.cause for name in shown[:3])
            counted["gained"] += not right and any(
                name in case.cause for name in (*shown, *(one.id for one in added))[:3]
            )
    return {
        "likeness alone: first, among three, among five": (
            f"{counted['among 1']}, {counted['among 3']}, {counted['among 5']} of {counted['labelled']}"
        ),
        "labelled texts to which causes are added": (
            f"{counted['labelled with added']}, right in {counted['added right']}"
        ),
        "right among the first three only with likeness": str(counted["gained"]),
        "healthy texts to which causes are added": f"{counted['healthy with added']} of {counted['healthy']}",
        "other failures to which causes are added": f"{counted['others with added']} of {counted['others']}",
        "milliseconds, middle and longest": f"{1000 * sorted(took)[len(took) // 2]:.0f}, {1000 * max(took):.0f}",
    }


if __name__ == "__main__":
    sys.exit(main())
