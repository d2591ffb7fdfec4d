"""Failures -> their pages in docs/failures/ and the list of all. `--check` only names the pages that are behind."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torchdoctor.diagnose import all_failures
from torchdoctor.diagnose.pages import list_page, page_of

FOLDER = Path(__file__).parents[1] / "docs" / "failures"


def main() -> int:
    """Write every page and remove pages of failures that no longer exist, or with --check list them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = {f"{failure.id}.md": page_of(failure) for failure in all_failures()} | {
        "index.md": list_page(all_failures())
    }
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    behind = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if check:
        for name in behind:
            print(f"failures/{name} is behind its failure file: run python tools/failure_pages.py")
        return 1 if behind else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in behind:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], "utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
