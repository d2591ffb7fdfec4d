"""What the README shows is what the program takes and does."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from torchdoctor.cli.app import COMMANDS, cli
from torchdoctor.cli.jupyter_kernel import command as jupyter_kernel

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def shown():
    """Every torchdoctor command line in an indented or fenced block."""
    lines = re.findall(r"^(?:    |\$ )(torchdoctor(?: .*)?)$", README, re.MULTILINE)
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
    assert len(shown()) >= 8


@pytest.mark.parametrize("words", shown(), ids=" ".join)
def test_every_option_shown_is_one_that_the_command_takes(words):
    """Examples are typed as they stand."""
    assert {word for word in words if word.startswith("--")} <= options_of(words) | {"--help"}


def test_every_command_has_its_row():
    """Nothing that can be called is left out of the table."""
    for name in COMMANDS:
        assert f"`torchdoctor {name}" in README or name == "doctor"


def test_the_two_commands_stand_as_they_are_run():
    """The set-up and the check, to the letter."""
    assert "    python -m pip install . && torchdoctor install\n" in README
    assert "    python -m pip install '.[test]' && pytest\n" in README


def test_the_python_example_runs():
    """The library is used as shown."""
    blocks = re.findall(r"```pycon\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        test = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
        runner = doctest.DocTestRunner()
        runner.run(test)
        assert runner.failures == 0
