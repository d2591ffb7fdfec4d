"""The table of checks -> docs/checks.md. `--check` changes nothing and says whether the page is out of date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torchdoctor.report.terminal.check_list import checks_markdown

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"


def main() -> int:
    """Write the page, or with --check compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(checks_markdown(), "utf-8")
    elif PAGE.read_text("utf-8") != checks_markdown():
        print("checks.md is behind the checks: run python tools/checks_page.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
