"""The Chinese of each text says the same: its values, its commands and its punctuation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import torchdoctor

PO = Path(torchdoctor.__file__).parent / "core" / "i18n" / "locale" / "zh" / "LC_MESSAGES" / "torchdoctor.po"
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
    return re.sub(r"\w\(\)|\(N\+15\)|\(\d+(?:, \d+)*\)", "x", re.sub(r"`[^`\n]+`", "x", rest))


def test_none_is_missing(texts):
    """Every text has its Chinese."""
    assert [english for english, chinese in texts if not chinese] == []


def test_every_text_that_the_code_gives_is_in_it(texts):
    """Also those inside of others, which the catalogue's tool may pass over."""
    known = {english for english, _ in texts}
    with PO.open("rb") as file:
        known |= {one for row in read_po(file) if isinstance(row.id, tuple) for one in row.id}
    assert [text for text in _given() if text not in known] == []


def _given():
    """What stands literally in a call that makes a text."""
    for path in Path(torchdoctor.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not call.args:
                continue
            text = getattr(call.args[0], "value", None)
            if call.func.id in ("message", "sentence", "gettext", "_") and isinstance(text, str) and text:
                yield text


def test_the_values_put_in_are_the_same(texts):
    """A name in braces that is missing or wrong would fail where it is shown."""
    for english, chinese in texts:
        assert set(re.findall(r"\{[^{}]*\}", english)) == set(re.findall(r"\{[^{}]*\}", chinese)), english


def test_what_is_to_be_typed_is_the_same(texts):
    """Code and commands are not translated."""
    for english, chinese in texts:
        assert _code(english) == _code(chinese), english
        assert _commands(english) == _commands(chinese), english


def _bare(chinese):
    """The prose without what keeps its ASCII marks: lists and shapes in brackets, words in quotes, devices, tools."""
    rest = re.sub(r"\{[^{}]*\}", "x", _prose(chinese))
    rest = re.sub(
        rf"\[(?:(?!{HAN})[^\]])*\]|\((?:(?!{HAN})[^)])*\)", "x", re.sub(r"'[^' ]{1,20}'", "x", rest)
    )
    return re.sub(r"(?:x|cuda|802|medium|std:): ?\w|(?<=[ \uff1a])\.\.\.|\S\.\.\.$", "x", rest)


def test_punctuation_beside_chinese_is_full_width(texts):
    """No mark of ASCII next to a Chinese sign, nor between two Latin words of a Chinese sentence."""
    for _, chinese in texts:
        assert re.findall(rf"{HAN}\s*[,;:?!()]|[,;:?!()]\s*{HAN}", _prose(chinese)) == [], chinese
        if re.search(HAN, chinese):
            left = re.findall(rf"[,;?!]|:(?![/\d\\])|{HAN}\.|\.{HAN}|\.(?:\s|$)", _bare(chinese))
            assert left == [], chinese


def test_a_full_width_mark_holds_its_own_space(texts):
    """None before it, none behind it."""
    for _, chinese in texts:
        assert re.findall("[，；：？！。、（《] | [，；：？！。、）》]", chinese) == [], chinese  # noqa: RUF001


def test_brackets_and_quotes_are_in_pairs(texts):
    """Both halves are there, and both are full-width or neither."""
    for _, chinese in texts:
        prose = re.sub(r"'[\[\]()]+'", "", _prose(chinese))
        for one, other in ("（）", "“”", "《》", "()", "[]"):  # noqa: RUF001
            assert prose.count(one) == prose.count(other), chinese


def test_the_reader_is_addressed_in_one_way(texts):
    """As in the READMEs."""
    assert [chinese for _, chinese in texts if "您" in chinese] == []
