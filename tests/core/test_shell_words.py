"""A word of a command that is shown reaches the program as it is, whatever stands in it."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.core.shell_words import argument, quoted
from torchdoctor.kernel.list import _corrupt, _no_ipykernel
from torchdoctor.kernel.model import KernelState

PACKAGE = Path(__file__).parents[2] / "torchdoctor"
HOSTILE = [
    "a b",
    "a;touch x",
    "$(touch x)",
    "`touch x`",
    "a'b",
    'a"b',
    "%PATH%",
    "-rf",
    "a\nb",
    "内核",
    "a&b",
    "",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_shell_takes_it_as_one_word(word):
    """No part of it is run."""
    assert shlex.split(quoted(word, windows=False)) == [word]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_comes_back(word):
    """What a folder or a kernel may be called."""
    assert shlex.split(quoted(word, windows=False)) == [word]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_powershell_takes_it_as_one_word(word):
    """Plain letters, or a literal string in which only the quote is doubled."""
    shown = quoted(word, windows=True)
    literal = re.fullmatch(r"'((?:[^']|'')*)'", shown, re.DOTALL)
    assert literal[1].replace("''", "'") == word if literal else re.fullmatch(r"[\w:\\/.+-]+", shown)


def test_a_name_that_begins_with_a_dash_is_no_option():
    """A folder may have any name."""
    assert argument("-rf", windows=False) == "-- -rf"


@pytest.mark.skipif(sys.platform == "win32", reason="shlex splits words of POSIX shells")
@pytest.mark.parametrize("name", HOSTILE[:-1])
def test_a_fix_for_a_kernel_holds_its_name_as_one_word(name):
    """The name is that of a folder, which anybody may have made."""
    command = ["torchdoctor", "jupyter-kernel", "repair"]
    dashes = ["--"] if name.startswith("-") else []
    folder = Path("/kernels") / "x"
    assert shlex.split(str(_corrupt(name, folder, "why").fix)) == [*command, *dashes, name, "ENV"]
    assert shlex.split(str(_no_ipykernel(name, folder).fix)) == [*command, *dashes, name]
    state = KernelState(name=name, folder=folder, place="user")
    assert shlex.split(state.argument) == [*dashes, name]


def test_words_are_quoted_in_one_place():
    """shlex knows POSIX shells alone; the others know the shell for which they write."""
    places = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "shlex.quote(" in path.read_text("utf-8")
    }
    assert places == {
        "core/shell_words.py", "bundle/payload/install.py", "install/activation.py", "project/advice.py",
        "probe/verify/import_and_devices.py",  # it runs without the rest
    }  # fmt: skip
