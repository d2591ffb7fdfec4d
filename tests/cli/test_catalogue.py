"""The Chinese of each text says the same: its values, its commands and its punctuation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import torchdoctor

PO = Path(torchdoctor.__file__).parent / "locale" / "zh" / "LC_MESSAGES" / "torchdoctor.po"
HAN = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"


def _counted(english, chinese):
    """Of a text that depends on a count: the one for many, since Chinese has one form."""
    return (english[-1], chinese[0]) if isinstance(english, tuple) else (english, chinese)


@pytest.fixture(scope="module")
def texts():
    """Each text with its Chinese."""
    with PO.open("rb") as file:
        rows = [_counted(row.id, row.string) for row in read_po(file) if row.id]
    assert len(rows) > 700
    return rows


def _code(text):
    return sorted(re.findall(r"`[^`\n]+`", text))


def _commands(text):
    """The paragraphs that click keeps line by line, without remarks."""
    return [re.sub(r"\s+# .*", "", row) for row in text.split("\n\n") if row.startswith("\b")]


def _prose(text):
    """What a person reads: without code, commands and calls."""
    rest = "\n\n".join(row for row in text.split("\n\n") if not row.startswith("\b"))
    return re.sub(r"\w\(\)|\(N\+15\)", "x", re.sub(r"`[^`\n]+`", "x", rest))


def test_none_is_missing(texts):
    """Every text has its Chinese."""
    assert [english for english, chinese in texts if not chinese] == []


def test_the_values_put_in_are_the_same(texts):
    """A name in braces that is missing or wrong would fail where it is shown."""
    for english, chinese in texts:
        assert set(re.findall(r"\{[^{}]*\}", english)) == set(re.findall(r"\{[^{}]*\}", chinese)), english


def test_what_is_to_be_typed_is_the_same(texts):
    """Code and commands are not translated."""
    for english, chinese in texts:
        assert _code(english) == _code(chinese), english
        assert _commands(english) == _commands(chinese), english


def test_punctuation_beside_chinese_is_full_width(texts):
    """No comma, semicolon, colon or bracket of ASCII next to a Chinese sign."""
    for _, chinese in texts:
        assert re.findall(rf"{HAN}\s*[,;:?!()]|[,;:?!()]\s*{HAN}", _prose(chinese)) == [], chinese
