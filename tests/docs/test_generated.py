"""What is made from the program is not behind it: reference, man pages, failures, checks, the Chinese catalogue."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.mark.parametrize("tool", ["texts", "pages", "man", "failure_pages", "checks_page"])
def test_nothing_generated_is_behind_the_program(tool):
    """`python tools/generate.py` would change nothing."""
    done = subprocess.run(
        [sys.executable, TOOLS / f"{tool}.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_tool_of_generate_is_checked():
    """A page that is made by one more tool is compared here too."""
    assert '("texts", "pages", "man", "failure_pages", "checks_page")' in (TOOLS / "generate.py").read_text(
        "utf-8"
    )
