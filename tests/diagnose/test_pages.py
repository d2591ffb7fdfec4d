"""The pages of failures: made from the failure files, and those in docs/ are the ones that are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from torchdoctor.diagnose import all_failures
from torchdoctor.diagnose.pages import list_page, page_json, page_of

DOCS = Path(__file__).parents[2] / "docs" / "failures"


@pytest.mark.parametrize("failure", all_failures(), ids=lambda failure: failure.id)
def test_the_page_in_the_docs_is_that_of_the_failure(failure):
    """`python tools/failure_pages.py` writes them anew."""
    assert (DOCS / f"{failure.id}.md").read_text("utf-8") == page_of(failure)


def test_the_list_in_the_docs_names_all():
    """One page a failure and one list, nothing else."""
    assert (DOCS / "index.md").read_text("utf-8") == list_page(all_failures())
    assert {path.stem for path in DOCS.glob("*.md")} == {failure.id for failure in all_failures()} | {"index"}


def test_a_page_has_symptoms_reasons_and_steps():
    """What a person looks for, in that order."""
    page = page_json(all_failures()[0])
    assert page["seen_as"]
    assert page["explanation"]
    assert page["check"]
    assert page["fix"]
