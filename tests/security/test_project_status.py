"""What an index marks a project as (PEP 792): one in quarantine gives nothing, the others are said."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.fuzz_seeds import NAME, SHA
from tests.wheelmaker import make_wheel
from torchdoctor.core.net import Page
from torchdoctor.errors import SourceFailed
from torchdoctor.sources.index_update import update_index
from torchdoctor.sources.listing import SourceListing
from torchdoctor.sources.source import OFFICIAL, PYPI, Source
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
    late = f'<a href="{NAME}#sha256={SHA}">x</a>' + mark
    assert parse_page(late, url=URL).status == "active"
    assert parse_page(f"<!-- {mark} -->{late}", url=URL).status == "active"


@pytest.mark.parametrize(
    "mark",
    [
        f"<!--{'x' * 20_000}--><meta name='pypi:project-status' content='quarantined'>",
        "<META NAME='PyPI:Project-Status' CONTENT=' Quarantined '>",
        "<meta name='pypi&#58;project-status' content='quarantined'>",
    ],
)
def test_a_mark_counts_however_it_is_written_and_however_late_in_the_head(mark):
    """As a browser reads it."""
    assert parse_page(f'{mark}<a href="{NAME}#sha256={SHA}">x</a>', url=URL).status == "quarantined"


def two_pages(first):
    """An index of two pages of torch, the second of which is active."""
    pages = {"/whl/torch/": first[0], "/whl/cu130/torch/": as_html("active")[0]}

    def read(url):
        body = pages[urlsplit(url).path].encode()
        return Page(url=url, body=body, content_type="text/html", etag=None, last_modified=None)

    return Source(name="i", url="https://i.example.org/whl", layout="either", origin="--index-url"), read


@pytest.mark.parametrize("ahead", [True, False])
def test_a_project_in_quarantine_is_taken_from_no_other_page_of_the_index(ahead):
    """Whether pages are read one by one or ahead; another index may have the project."""
    source, read = two_pages(as_html("quarantined"))
    listing = SourceListing(source=source, read=read)
    if ahead:
        listing.read_ahead([("torch", "cu130")])
        assert listing.read_wheels("torch", "cu130") == ()
    assert listing.wheels("torch", "cu130") == ()
    source, read = two_pages(("<p>nothing here</p>",))
    assert len(SourceListing(source=source, read=read).wheels("torch", "cu130")) == 1


def test_an_index_on_this_machine_marks_projects_too(tmp_path):
    """A copy of PyPI has its marks along."""
    page = tmp_path / "torch" / "index.html"
    page.parent.mkdir()
    page.write_text(as_html("quarantined")[0], "utf-8")
    source = Source(name="i", url=tmp_path.as_uri(), layout="simple", origin="--index-url")
    assert SourceListing(source=source).wheels("torch", "cu130") == ()


@pytest.mark.parametrize("project", ["torch", "torchaudio"])
def test_index_update_keeps_nothing_of_a_project_in_quarantine(world, tmp_path, project):
    """What was known of torch stays, with an error; a companion is left out, which is said."""
    for name in ("torch", "torchaudio"):
        page = f"/whl/{name}/"
        world.official.add(page, *make_wheel(name, "2.99.0+cpu", tag="cp312-cp312-manylinux_2_28_x86_64"))
        if name == project:
            world.official.pages[page] = as_html("quarantined")[0].encode() + world.official.pages[page]
    if project == "torch":
        with pytest.raises(SourceFailed, match="quarantine") as refused:
            update_index(tmp_path, OFFICIAL.url, today="2027-01-05")
        assert refused.value.code == "quarantined"
        return
    done = update_index(tmp_path, OFFICIAL.url, today="2027-01-05")
    assert done.releases == ("2.99.0",)
    assert not any(name.startswith("torchaudio") for name in done.files)
    assert any("quarantine" in note for note in done.notes)


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
