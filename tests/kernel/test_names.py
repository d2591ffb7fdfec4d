"""What may name a kernel, its menu entry and its variables."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.cli.jupyter_kernel import default_kernel_name
from torchdoctor.errors import UsageError
from torchdoctor.kernel.names import (
    default_display_name,
    distinct_display_name,
    parse_settings,
    validate_display_name,
    validate_kernel_name,
)

BAD = [
    "", " ", "a b", "../up", "..", ".", ".hidden", "-rf", "x/y", "x\\y", "a;b", "$(id)", "a|b", "`id`", "a\nb", "名字",
    "🔥", "n" * 101, "n" * 300, "end.", "con", "NUL.txt", "com1", "a\0b", "é",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_name_that_a_path_a_shell_or_windows_would_misread_is_refused(name):
    """Wrong usage, and it says what may stand there."""
    with pytest.raises(UsageError) as caught:
        validate_kernel_name(name)
    assert caught.value.code == "kernel-name"
    assert "letters, digits" in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("name", ["demo", "PyTorch-2.9_cu128", "_x", "0", "n" * 100, "console"])
def test_a_plain_name_is_taken(name):
    """Letters, digits, dots, lines."""
    assert validate_kernel_name(name) == name


@given(st.text(max_size=120))
def test_every_name_taken_is_one_plain_word(name):
    """Whatever is typed: taken as it is and harmless, or refused."""
    try:
        taken = validate_kernel_name(name)
    except UsageError:
        return
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", taken)
    assert taken[0] not in ".-"


@given(st.text(min_size=1, max_size=120).filter(lambda text: "/" not in text and "\0" not in text))
def test_a_folder_of_any_name_gives_a_valid_kernel_name(folder):
    """Without --name nobody has to think of one."""
    from pathlib import Path

    assert validate_kernel_name(default_kernel_name(Path("/envs") / folder))


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "\x1b[31mred", "x" * 201, "tab\there"], ids=ascii)
def test_a_display_name_that_a_menu_cannot_show_is_refused(text):
    """One line of printable signs."""
    with pytest.raises(UsageError) as caught:
        validate_display_name(text)
    assert caught.value.code == "display-name"


def test_a_display_name_may_be_in_any_script():
    """It is for people."""
    assert validate_display_name("Torch ✓ 深度学习 🔥") == "Torch ✓ 深度学习 🔥"


def test_the_menu_shows_the_version_and_the_build():
    """As people name it."""
    assert default_display_name("2.9.1+cu128") == "Python (PyTorch 2.9.1 cu128)"
    assert default_display_name("2.9.1") == "Python (PyTorch 2.9.1)"


def test_variables_are_read_up_to_the_first_equals_sign():
    """Values may hold anything but NUL."""
    assert parse_settings(["A=1", "B=x=y z", "C="]) == {"A": "1", "B": "x=y z", "C": ""}


@pytest.mark.parametrize("line", ["A", "=1", "1A=2", "A B=1", "A-B=1", "A=\0", "💥=1"], ids=ascii)
def test_a_line_that_sets_no_variable_is_refused(line):
    """Named, with how it is written."""
    with pytest.raises(UsageError) as caught:
        parse_settings([line])
    assert "--env KEY=VALUE" in caught.value.fix


def test_two_kernels_are_told_apart_in_the_menu():
    """The second of one torch has its own name beside it; a display name that is free stays as it is."""
    taken = {"Python (PyTorch 2.9.1 cu128)", "Python 3"}
    assert (
        distinct_display_name("Python (PyTorch 2.9.1 cu128)", "shapes", taken)
        == "Python (PyTorch 2.9.1 cu128), shapes"
    )
    assert (
        distinct_display_name("Python (PyTorch 2.10.0 cu128)", "shapes", taken)
        == "Python (PyTorch 2.10.0 cu128)"
    )
