"""Write docs/checks.md from the table of checks.

Usage: python tools/checks_page.py
"""

from __future__ import annotations

from pathlib import Path

from torchdoctor.report.check_list import checks_markdown

if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "checks.md").write_text(checks_markdown(), "utf-8")
