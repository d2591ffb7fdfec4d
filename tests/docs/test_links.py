"""Links inside lead somewhere, and every page is reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
DOCS = ROOT / "docs"


def _links(page):
    """Targets of the links outside of code, without those to elsewhere."""
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [row for row in found if not re.match(r"[a-z]+:", row)]


def _anchors(page):
    """What GitHub and MyST make of the headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def _listed(page):
    """The pages of the page's tables of contents."""
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    rows = [row for block in blocks for row in block.split("\n") if row and not row.startswith(":")]
    return {(page.parent / f"{row}.md").resolve() for row in rows}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_inside_leads_somewhere(page):
    """To a file that is there, and to a heading of it."""
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_is_in_a_table_of_contents():
    """Nothing is written that nobody finds."""
    tables = [page for page in DOCS.glob("**/*.md") if "{toctree}" in page.read_text("utf-8")]
    listed = {row for page in tables for row in _listed(page)}
    pages = {page.resolve() for page in DOCS.glob("**/*.md") if "_build" not in page.parts}
    links = {(page.parent / link.partition("#")[0]).resolve() for page in tables for link in _links(page)}
    assert pages - listed - links == {(DOCS / "index.md").resolve()}
