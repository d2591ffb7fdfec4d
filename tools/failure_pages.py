"""Write docs/failures/: one page a failure, made from its rule, and the list of all.

Usage: python tools/failure_pages.py
"""

from __future__ import annotations

from pathlib import Path

from torchdoctor.diagnosis.pages import list_page, page_of
from torchdoctor.diagnosis.rules import RULES

FOLDER = Path(__file__).parents[1] / "docs" / "failures"


def main() -> None:
    """Write every page anew, and remove pages of failures that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = {f"{rule.id}.md": page_of(rule) for rule in RULES} | {"index.md": list_page(RULES)}
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, "utf-8")
    print(f"{len(wanted)} pages in {FOLDER}")


if __name__ == "__main__":
    main()
