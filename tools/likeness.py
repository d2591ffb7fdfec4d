"""Make the table of `torchdoctor/diagnose/data/likeness.txt` from labelled reports; with --check say if it is behind.

Left out are tests/cases/retold, unread and further.toml: `benchmarks/diagnosis_accuracy.py` measures with them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose import all_failures
from torchdoctor.diagnose.compiled_data import parse_toml
from torchdoctor.diagnose.likeness_table import LikenessTable

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "cases"
FAILURES = ROOT / "torchdoctor" / "diagnose" / "failures"
FILE = ROOT / "torchdoctor" / "diagnose" / "data" / "likeness.txt"
FILES = (
    "collected.toml",
    "healthy.toml",
    "healthy_collected.toml",
    "healthy_told.toml",
    "reported.toml",
    "told.toml",
)


def labelled_texts() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each text with its failures: of the cases, of the failures' own files, and what their pages say."""
    known = {failure.id for failure in all_failures()}
    for row in _rows():
        cause = tuple(row.get("cause", ()))
        # One that is labelled with a failure that no file describes is of no use.
        if not cause or set(cause) & known:
            text = row["text"] if "text" in row else "\n".join(row["evidence"].values())
            yield text, tuple(name for name in cause if name in known)
    for path in sorted(FAILURES.glob("*/*.toml"), key=lambda path: path.name):
        failure = parse_toml(path)
        for case in failure["case"]:
            if "text" in case and case.get("expect") != "absent":
                yield case["text"], (failure["id"],)
        page = (failure["title"], failure["explanation"], *failure.get("seen_as", ()), failure["confirm"])
        yield " ".join(page), (failure["id"],)


def _rows() -> Iterator[dict[str, Any]]:
    for name in FILES:
        yield from parse_toml(CASES / name)["report"]
    for path in sorted((CASES / "reports").glob("*.json")):
        yield json.loads(path.read_text("utf-8"))


def main() -> int:
    """Write the table, or with --check say if it is behind."""
    text = LikenessTable.of(labelled_texts()).as_text()
    if "--check" in sys.argv[1:]:
        if not FILE.exists() or FILE.read_text("utf-8") != text:
            print(f"{FILE.name} is behind the cases: run python tools/likeness.py")
            return 1
    else:
        FILE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
