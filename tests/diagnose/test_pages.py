"""The pages of failures: made from the rules, and those in docs/ are the ones that are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from torchdoctor.diagnose.pages import list_page, page_json, page_of
from torchdoctor.diagnose.rules import RULES

DOCS = Path(__file__).parents[2] / "docs" / "failures"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_page_in_the_docs_is_the_rule(rule):
    """`python tools/failure_pages.py` writes them anew."""
    assert (DOCS / f"{rule.id}.md").read_text("utf-8") == page_of(rule)


def test_the_list_in_the_docs_names_all():
    """One page a failure and one list, nothing else."""
    assert (DOCS / "index.md").read_text("utf-8") == list_page(RULES)
    assert {path.stem for path in DOCS.glob("*.md")} == {rule.id for rule in RULES} | {"index"}


def test_a_page_has_symptoms_reasons_and_steps():
    """What a person looks for, in that order."""
    page = page_json(RULES[0])
    assert page["seen_as"]
    assert page["explanation"]
    assert page["check"]
    assert page["fix"]
