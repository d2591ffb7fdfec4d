"""What people type that torchdoctor does not have: each gets what to write instead."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("check", "torchdoctor doctor"),
        ("fix", "torchdoctor doctor --fix"),
        ("test", "torchdoctor verify"),
        ("setup", "torchdoctor install"),
        ("collect_env", "torchdoctor report"),
        ("kernels", "torchdoctor jupyter-kernel list"),
        ("instal", "install"),
    ],
)
def test_another_word_for_a_command_is_understood(torchdoctor, typed, instead):
    """Wrong usage, with the command that was meant."""
    ran = torchdoctor(typed)
    assert ran.status == 2
    assert f"Did you mean {instead}?" in ran.err


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        (("install", "--cpu"), "--variant cpu"),
        (("install", "--cuda", "12.6"), "--variant cu126"),
        (("install", "--cuda=12.6"), "--variant cu126"),
        (("resolve", "--rocm", "6.4"), "--variant rocm6.4"),
        (("install", "--cuda"), "--variant auto"),
        (("install", "--version", "2.9"), "--torch 2.9"),
        (("install", "-i", "https://example.org/simple"), "--index-url https://example.org/simple"),
        (("--fix",), "torchdoctor doctor --fix"),
    ],
)
def test_an_option_of_another_tool_is_understood(torchdoctor, typed, instead):
    """With its value, where it can be part of the answer."""
    ran = torchdoctor(*typed)
    assert ran.status == 2
    assert f"did you mean {instead}?" in ran.err


def test_a_value_that_could_be_anything_is_not_repeated(torchdoctor):
    """The answer is a line that people paste."""
    ran = torchdoctor("install", "--index", "https://x/$(touch ran)")
    assert ran.status == 2
    assert "$(touch" not in ran.err


def test_help_is_a_command_too(torchdoctor):
    """Of the program, and of one command."""
    assert torchdoctor("help").out == torchdoctor("--help").out
    assert torchdoctor("help", "resolve").out == torchdoctor("resolve", "--help").out
    assert torchdoctor("help", "nonsense").status == 2


def test_the_version_has_a_short_option(torchdoctor):
    """As Python's."""
    assert torchdoctor("-V").out == torchdoctor("--version").out
