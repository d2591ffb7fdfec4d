"""One word for one thing: the program's texts use the words of the glossary, in both languages."""

# ruff: noqa: RUF001  # Chinese punctuation is what is looked for
from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent.parent
CATALOGUE = ROOT / "torchdoctor/core/i18n/locale/zh/LC_MESSAGES/torchdoctor.po"


def _rows():
    """The cells of each row: English, Chinese, meaning, and the words that are not used."""
    page = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _words(column):
    return [word.strip() for row in _rows() for word in re.split("[,，]", row[column]) if word.strip()]


@pytest.fixture(scope="module")
def texts():
    """Each text of the program with its Chinese."""
    with CATALOGUE.open("rb") as file:
        return [(str(entry.id), str(entry.string)) for entry in read_po(file) if entry.id]


def test_no_english_text_has_a_word_that_the_glossary_rules_out(texts):
    """Two words for one thing make the reader look for a difference."""
    ruled_out = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in _words(3)), re.IGNORECASE)

    assert [english for english, _ in texts if ruled_out.search(english)] == []


def test_no_chinese_text_has_a_word_that_the_glossary_rules_out(texts):
    """The same for the translation, with words that nobody says."""
    ruled_out = re.compile("|".join(map(re.escape, _words(4))))

    assert [chinese for _, chinese in texts if ruled_out.search(chinese)] == []


def test_the_chinese_readme_uses_these_words_too():
    """It is the first text that a reader sees."""
    page = (ROOT / "README.zh-CN.md").read_text("utf-8")

    assert [word for word in _words(4) if word in page] == []


def test_no_chinese_text_has_a_space_beside_its_punctuation(texts):
    """Full-width punctuation brings its own space; a text that ends with one may be joined to another."""
    assert [chinese for _, chinese in texts if re.search(r"[：；，。] +[^\s{]", chinese)] == []


def test_no_command_or_option_has_full_width_brackets(texts):
    """A command is copied and run."""
    commands = [code for _, chinese in texts for code in chinese.split("`")[1::2]]

    assert [code for code in commands if re.search("[（），；：]", code)] == []


def test_no_line_of_chinese_begins_with_a_comma(texts):
    """A wrapped help text would."""
    assert [
        chinese
        for english, chinese in texts
        if re.match("[，。；、]", chinese) and not re.match(r"[,.;:]", english)
    ] == []
