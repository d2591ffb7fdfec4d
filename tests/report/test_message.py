"""A text made of a template and values: English where it is kept, the reader's language where it is shown."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.core.i18n import Message, joined, message, plural, set_language, translate
from torchdoctor.core.i18n.messages import translate_document
from torchdoctor.core.visible import visible

# Without what would move the cursor: that is written out.
PLAIN = st.characters(exclude_categories=("C",))


@pytest.fixture(autouse=True)
def english():
    """Each test leaves the program speaking English."""
    yield
    set_language("en")


def _asked():
    return message("see `{command} --help`", command="torchdoctor install")


def test_it_is_the_english_text_to_everything_that_handles_strings():
    """Comparing, hashing and JSON see an ordinary string, whatever language is spoken."""
    set_language("zh")
    english = "see `torchdoctor install --help`"
    assert _asked() == english
    assert {_asked()} == {english}
    assert json.dumps({"fix": _asked()}) == json.dumps({"fix": english})


def test_it_is_shown_in_the_language_spoken():
    """The template is translated, then filled."""
    set_language("zh")
    assert translate(_asked()) == "见 `torchdoctor install --help`"
    set_language("en")
    assert translate(_asked()) == "see `torchdoctor install --help`"


def test_a_message_inside_a_message_is_translated_too():
    """A value may be a text with values of its own."""
    set_language("zh")
    outer = message("{what}: still working after {seconds:.0f} s", what=_asked(), seconds=3.2)
    assert "见 `torchdoctor install --help`" in translate(outer)
    assert "3" in translate(outer)
    assert outer == "see `torchdoctor install --help`: still working after 3 s"


def test_joined_texts_are_translated_one_by_one():
    """What stands in a list is translated, and what is not in the catalogue stays."""
    set_language("zh")
    both = joined([_asked(), "torch"])
    assert both == "see `torchdoctor install --help`, torch"
    assert translate(both).startswith("见 `torchdoctor install --help`")
    assert translate(both).endswith("torch")


def test_a_document_is_shown_with_its_names_untouched():
    """Keys and what is no message stay as they are."""
    set_language("zh")
    document = {"kind": "usage", "fix": [_asked(), 3, None], "error": {"message": _asked()}}
    assert translate_document(document) == {
        "kind": "usage",
        "fix": ["见 `torchdoctor install --help`", 3, None],
        "error": {"message": "见 `torchdoctor install --help`"},
    }


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))])  # noqa: S301
def test_a_copy_can_still_be_translated(again):
    """What crosses to another process keeps its template and values."""
    set_language("zh")
    for text in (_asked(), joined(["a", _asked()], "; ")):
        assert again(text) == text
        assert translate(again(text)) == translate(text)
        assert type(again(text)) is type(text)


@given(st.text(PLAIN), st.text(PLAIN))
def test_values_are_never_read_as_templates(first, second):
    """Braces in what comes from outside are characters."""
    text = message("{first} and {second}", first=first, second=second)
    assert isinstance(text, Message)
    assert text == f"{first} and {second}"
    assert translate(text) == visible(text)


def test_a_value_cannot_move_the_cursor_or_turn_its_neighbours_round():
    """A name from outside is shown with what it holds; lines stay lines."""
    assert (
        translate(message("{name} is there", name="a\x1b[2Jb\u202ec\nd")) == "a\\x1b[2Jb\\u202ec\nd is there"
    )


def test_between_chinese_signs_stands_no_space():
    """A translated value follows the Chinese before it; a Latin one keeps its space."""
    set_language("zh")
    text = message("kernel {kernel}: {did}", kernel=message("there was nothing to repair"), did="x")
    assert translate(text) == "内核没有需要修复的：x"  # noqa: RUF001
    assert translate(message("kernel {kernel}: {did}", kernel="demo", did="x")) == "内核 demo：x"  # noqa: RUF001
    assert translate(joined([message("skipped"), message("passed")], " and ")) == "跳过和通过"


def test_one_is_said_in_its_own_words():
    """No `1 packages`."""
    several = {
        count: plural(count, message("1 part"), message("{count} parts", count=count)) for count in (0, 1, 2)
    }
    assert several == {0: "0 parts", 1: "1 part", 2: "2 parts"}
