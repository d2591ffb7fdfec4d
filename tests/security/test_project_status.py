"""What an index marks a project as (PEP 792): one in quarantine gives nothing, the others are said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.fuzz_seeds import NAME, SHA
from torchdoctor.core.net import Page
from torchdoctor.sources.listing import SourceListing
from torchdoctor.sources.source import PYPI
from wheels_index import parse_page

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://pypi.org/simple/torch/"


def as_json(status, reason=None):
    """As PyPI's documentation of its API gives it, with a file that a lying index offers nonetheless."""
    document = {
        "meta": {"api-version": "1.4"}, "name": "torch", "project-status": {"status": status, "reason": reason},
        "files": [{"filename": NAME, "url": NAME, "hashes": {"sha256": SHA}}],
    }  # fmt: skip
    return json.dumps(document), JSON


def as_html(status, reason=""):
    metas = (
        f'<meta name="pypi:project-status" content="{status}">'
        f'<meta content="{reason}" name="pypi:project-status-reason">'
    )
    return (
        f'<!DOCTYPE html><html><head>{metas}</head><a href="{NAME}#sha256={SHA}">{NAME}</a></html>',
        "text/html",
    )


def listed(body, content_type):
    notes = []
    page = Page(url=URL, body=body.encode(), content_type=content_type, etag=None, last_modified=None)
    listing = SourceListing(source=PYPI, read=lambda _: page, note=notes.append)
    return listing.wheels("torch", "cu130"), notes


@pytest.mark.parametrize("page", [as_json, as_html])
def test_nothing_of_a_project_in_quarantine_is_taken(page):
    """Whatever files the page lists; the index and its reason are said, without what acts on a terminal."""
    wheels, notes = listed(*page("quarantined", "malware \x1b[2J"))
    assert wheels == ()
    assert "quarantine" in notes[0]
    assert "malware" in notes[0]
    assert "\x1b" not in notes[0]


@pytest.mark.parametrize("page", [as_json, as_html])
@pytest.mark.parametrize("status", ["archived", "deprecated"])
def test_a_project_that_is_archived_or_deprecated_is_said_to_be(page, status):
    """Its files are taken as they were."""
    wheels, notes = listed(*page(status))
    assert [wheel.filename for wheel in wheels] == [NAME]
    assert status in notes[0]


@pytest.mark.parametrize(
    "page", [as_json("active"), as_html("active"), as_json("unheard-of"), as_html("'><b>")]
)
def test_an_active_project_is_not_mentioned(page):
    """Nor one with a mark that no specification has."""
    wheels, notes = listed(*page)
    assert len(wheels) == 1
    assert notes == []


def test_a_mark_in_the_text_of_a_page_is_none():
    """Only the page's own head and the JSON's own key say it."""
    mark = '<meta name="pypi:project-status" content="quarantined">'
    late = f'<a href="{NAME}#sha256={SHA}">x</a>' + " " * 9000 + mark
    assert parse_page(late, url=URL).status == "active"
    assert parse_page(f"<!-- {mark} -->{late}", url=URL).status == "active"


MARKS = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status", "reason"]), inner),
    max_leaves=5,
)


@given(MARKS)
def test_any_mark_is_survived(mark):
    """Whatever stands in its place."""
    page = parse_page(json.dumps({"files": [], "project-status": mark}), url=URL, content_type=JSON)
    assert page.status in {"active", "archived", "quarantined", "deprecated"}
