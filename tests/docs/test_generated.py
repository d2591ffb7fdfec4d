"""What is made from the program is not behind it: reference, man pages, failures, checks, the Chinese catalogue."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
MAN = TOOLS.parent / "man"
# What `python tools/generate.py` runs, read from its text: a page that is made by one more tool is compared here too.
MADE_BY = ast.literal_eval(
    re.search(r"^TOOLS = (\([^)]*\))", (TOOLS / "generate.py").read_text("utf-8"), re.MULTILINE)[1]
)


@pytest.mark.process
@pytest.mark.parametrize("tool", MADE_BY)
def test_nothing_generated_is_behind_the_program(tool):
    """`python tools/generate.py` would change nothing."""
    done = subprocess.run(
        [sys.executable, TOOLS / f"{tool}.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", sorted(MAN.glob("*.1")), ids=lambda page: page.stem)
def test_a_man_page_fits_and_names_others_as_they_are_called(page):
    """At 80 columns its first line has room between both names; its NAME is whole; `man` finds what it names."""
    text = page.read_text("utf-8")
    head = re.match(r'\.TH "([^"]*)" "1" "([^"]*)" "([^"]*)" "([^"]*)"\n', text)
    assert head
    title, date, source, manual = head.groups()
    assert title.lower() == page.stem
    assert 2 * len(f"{title}(1)") + len(manual.strip()) < 78
    assert len(source) + len(f"{title}(1)") + len(date.strip()) < 78
    assert "..." not in text.split(".SH SYNOPSIS")[0]
    named = re.findall(r"See .fB(.*?)[(]1[)]", text)
    assert [name for name in named if not (MAN / f"{name}.1").exists()] == []
