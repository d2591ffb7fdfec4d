"""Source distributions on an index page."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheels_index import ProjectPage

PAGE = "https://example.org/simple/openai-whisper/"
DIGEST = "ab" * 32


def page_of(text, project="openai-whisper", **kind):
    return ProjectPage.parse(text, url=PAGE, project=project, **kind)


def test_html_and_json_give_the_same_file():
    """With its hash, its size where it is told, and the Pythons that it is for."""
    html = (
        f'<a href="../../f/openai_whisper-1.0.tar.gz#sha256={DIGEST}" data-requires-python="&gt;=3.8">x</a>'
    )
    file = {
        "filename": "openai_whisper-1.0.tar.gz", "url": "https://example.org/f/openai_whisper-1.0.tar.gz",
        "hashes": {"sha256": DIGEST}, "requires-python": ">=3.8",
    }  # fmt: skip
    read = page_of(html).sdists()
    assert read == page_of(json.dumps({"files": [file]})).sdists()
    assert [(str(each.version), each.url, each.sha256, each.requires_python) for each in read] == [
        ("1.0", "https://example.org/f/openai_whisper-1.0.tar.gz", DIGEST, ">=3.8")
    ]


@pytest.mark.parametrize(
    "link",
    [
        "openai_whisper-1.0-py3-none-any.whl",
        "other-1.0.tar.gz",
        "openai_whisper-1.0.tar.bz2",
        "http://example.org/openai_whisper-1.0.tar.gz",
        "file:///etc/openai_whisper-1.0.tar.gz",
        "openai_whisper-1.0.tar.gz\\..\\x",
        "..%2f..%2fopenai_whisper-1.0.tar.gz",
    ],
)
def test_other_files_and_links_that_lead_away_are_left_out(link):
    """A wheel, another project, an unprotected place, a hidden path."""
    assert page_of(f'<a href="{link}">x</a>').sdists() == ()


def test_a_yanked_one_is_left_out():
    """Nobody should get it."""
    html = '<a href="openai_whisper-1.0.tar.gz" data-yanked="broken">x</a>'
    assert page_of(html).sdists() == ()


@given(st.text(max_size=300), st.sampled_from(["text/html", "application/json"]))
def test_any_page_is_read_or_empty(text, content_type):
    """Nothing raises."""
    assert isinstance(page_of(text, "a", content_type=content_type).sdists(), tuple)
    links = f'<a href="{text}">x</a>'
    assert isinstance(page_of(links, "a").sdists(), tuple)


@pytest.mark.parametrize(
    ("href", "answer"),
    [
        ("one-2.0-py3-none-any.whl", True),
        ("https://x.example/a/one-2.0-py3-none-any.whl#sha256=00", True),
        ("one-1.0-py3-none-any.whl", False),
        ("two-2.0-py3-none-any.whl", False),
        ("one-2.0-cp312-cp312-win_amd64.whl", False),
        ("one-2.0.tar.gz", False),
        ("one-x-y.whl", False),
        ('one-2.0-py3-none-any.whl" data-yanked="', False),
    ],
)
def test_a_page_says_whether_it_has_a_wheel_that_is_accepted(href, answer):
    """By version and tags, without reading more of it."""

    def accepts(version, tags, requires_python):
        return str(version) == "2.0" and any(tag.platform == "any" for tag in tags) and not requires_python

    page = f'<a href="one-2.0.tar.gz">x</a><a href="{href}">x</a>'
    assert page_of(page, "One").has_wheel(accepts) is answer
    assert page_of("{}", "One").has_wheel(accepts) is False
