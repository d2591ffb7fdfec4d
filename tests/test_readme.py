"""What the READMEs show is what the program takes and does, and the Chinese one says the same as the English one."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from torchdoctor.cli.app import cli
from torchdoctor.cli.commands import COMMANDS
from torchdoctor.cli.jupyter_kernel import command as jupyter_kernel

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf-8")
BOTH = pytest.mark.parametrize("text", [README, CHINESE], ids=["en", "zh"])
HAN = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"


def shown():
    """Every torchdoctor command line in an indented or fenced block of either."""
    lines = re.findall(r"^(?:    |\$ )(torchdoctor(?: .*)?)$", README + CHINESE, re.MULTILINE)
    return [shlex.split(line, comments=True)[1:] for line in lines]


def options_of(words):
    """The options that the command of this line takes."""
    names = [word for word in words if word in COMMANDS]
    command = cli.get_command(None, names[0]) if names else cli
    if command is jupyter_kernel:
        command = jupyter_kernel.commands["add"]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def test_there_is_something_to_check():
    """The pattern still finds the examples."""
    assert len(shown()) >= 12


@pytest.mark.parametrize("words", shown(), ids=" ".join)
def test_every_option_shown_is_one_that_the_command_takes(words):
    """Examples are typed as they stand."""
    assert {word for word in words if word.startswith("--")} <= options_of(words) | {"--help"}


@BOTH
def test_every_command_has_its_row(text):
    """Nothing that can be called is left out of the table."""
    for name in COMMANDS:
        assert f"`torchdoctor {name}" in text


@BOTH
def test_the_two_commands_stand_as_they_are_run(text):
    """The set-up and the check, to the letter."""
    assert "    python -m pip install . && torchdoctor install\n" in text
    assert "    python -m pip install '.[test]' && pytest\n" in text


@BOTH
def test_a_newcomer_reads_it_in_two_minutes(text):
    """Details are the docs' business."""
    assert len(text.split("\n")) < 140


def _tables(text):
    """The first cell of each row of each table; of a heading's row nothing."""
    return re.findall(r"^\| (`[^|]*`|\d+) \|", text, re.MULTILINE)


def test_the_tables_have_the_same_rows():
    """The same commands and the same statuses."""
    assert [re.findall(r"`[^`]*`|\d+", row) for row in _tables(README)] == [
        re.findall(r"`[^`]*`|\d+", row) for row in _tables(CHINESE)
    ]


def test_both_lead_to_the_same_pages():
    """Who reads Chinese finds whatever the others find."""
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) for text in (README, CHINESE)]
    assert links[0] ^ links[1] == {"README.md", "README.zh-CN.md"}


def test_chinese_punctuation_is_full_width():
    """No comma, colon or bracket of ASCII beside a Chinese sign, but in code, links and remarks."""
    prose = re.sub(r"`[^`\n]+`|!?\[([^\]]*)\]\([^)]*\)", r"\1", CHINESE)
    assert re.findall(rf"{HAN} ?[,;:?!()]|[,;:?!()] ?{HAN}", prose) == []
    assert CHINESE.count("\N{FULLWIDTH COMMA}") > 20


def test_the_picture_is_whole_and_asks_nothing_of_the_network():
    """An SVG whose text a reader can select, with fonts of the reader's own."""
    picture = ROOT / "docs" / "images" / "demo.svg"
    assert f"]({picture.relative_to(ROOT).as_posix()})" in README
    root = ET.parse(picture).getroot()  # noqa: S314  # our own file
    said = "".join("".join(root.itertext()).split())
    assert "torchdoctorinstall" in said
    assert "Alliswell." in said
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", picture.read_text("utf-8"))


def test_the_python_example_runs():
    """The library is used as shown."""
    blocks = re.findall(r"```pycon\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        test = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
        runner = doctest.DocTestRunner()
        runner.run(test)
        assert runner.failures == 0
