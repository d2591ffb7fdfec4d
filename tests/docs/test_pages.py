"""What the pages show is what the program does: every command line is typed, every answer is compared."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest

from torchdoctor.cli.app import cli

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
# Answers that depend on nothing but the words of the command, so that they can be compared to the letter.
STEADY = ("resolve", "explain", "index", "completion")


def _blocks(language):
    """Fenced blocks of a language: page and text."""
    for page in PAGES:
        for text in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
        ):
            yield page.relative_to(ROOT).as_posix(), text


def _typed():
    """Every torchdoctor command line in a block that is meant to be typed."""
    for language in ("console", "bash", "powershell", "yaml"):
        for page, text in _blocks(language):
            for line in re.findall(r"^\s*(?:\$ |run: )?(torchdoctor(?: [^\n]*)?)$", text, re.MULTILINE):
                yield page, line
    for page in PAGES:
        # Code is no command line: the recipe of a command has an example of its help in it.
        text = re.sub(r"^```python\n.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for line in re.findall(r"^    (torchdoctor(?: [^\n]*)?)$", text, re.MULTILINE):
            yield page.relative_to(ROOT).as_posix(), line


def _steady():
    """Command lines with the answer that the page shows."""
    for page, text in _blocks("console"):
        for typed, answer in re.findall(r"^\$ (torchdoctor[^\n]*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
            words = shlex.split(typed)
            plain = [word for word in words if word in STEADY and "--compare-uv" not in words]
            if plain and ("--platform" in words or "--machine" in words or plain[0] != "resolve"):
                yield page, typed, answer


def _walk(words):
    """Give click the words as far as commands and options go; raises click's own error for one that is not taken."""
    command, rest = cli, words
    while isinstance(command, click.Group):
        ctx = command.make_context("torchdoctor", list(rest), resilient_parsing=True)
        rest = [*ctx._protected_args, *ctx.args]
        if not rest:
            return
        _, command, rest = command.resolve_command(ctx, rest)
    if not {"-h", "--help"} & set(rest):
        ctx = click.Context(command)
        command.make_parser(ctx).parse_args(list(rest))


@pytest.mark.parametrize(("page", "line"), sorted(set(_typed())))
def test_every_command_line_shown_is_one_that_the_program_takes(page, line):
    """Commands, options and their number of values, as they stand."""
    words = shlex.split(line, comments=True)[1:]
    cut = next((at for at, word in enumerate(words) if word in ("|", ">", "&&", "||", "<")), len(words))
    _walk(words[:cut])


@pytest.mark.parametrize(("page", "typed", "answer"), sorted(set(_steady())))
def test_every_answer_shown_is_the_program_s(in_process, page, typed, answer):
    """To the letter, where it depends on the words alone."""
    ran = in_process(*shlex.split(typed)[1:])
    assert ran.out == answer


def test_there_is_something_to_check():
    """The patterns still find the pages' examples."""
    assert len(set(_typed())) > 20
    assert list(_steady())


@pytest.mark.parametrize(("page", "text"), list(_blocks("pycon")))
def test_every_python_example_holds(page, text):
    """Typed into Python as it stands."""
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    runner = doctest.DocTestRunner()
    runner.run(test)
    assert runner.failures == 0
