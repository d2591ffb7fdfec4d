"""The pages' engine: everything is escaped, and a mistyped name is an error."""

from __future__ import annotations

import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from torchdoctor.core.i18n import message, set_language
from torchdoctor.report.html.engine import page_engine, read_style, style_digest


def test_values_are_escaped():
    """By default: nobody has to think of it."""
    assert page_engine().from_string("{{ name }}").render(name="<b>'\"") == "&lt;b&gt;&#39;&#34;"


def test_an_undefined_name_is_an_error():
    """Not an empty text."""
    with pytest.raises(UndefinedError):
        page_engine().from_string("{{ nmae }}").render(name="x")


def test_texts_are_translated_where_that_is_wanted():
    """A bug report stays English, whatever language is spoken."""
    text = message("no GPU was found")
    set_language("zh")
    try:
        shown = [
            page_engine(translated=wanted).from_string("{{ t }}").render(t=text) for wanted in (False, True)
        ]
    finally:
        set_language("en")
    assert shown == ["no GPU was found", "没有找到 GPU"]


@pytest.mark.parametrize("name", ["bench.css", "bug_report.css"])
def test_the_digest_is_that_of_the_stylesheet(name):
    """The policy allows this style and no other."""
    style = read_style(name)
    assert base64.b64decode(style_digest(style)) == hashlib.sha256(style.encode()).digest()
