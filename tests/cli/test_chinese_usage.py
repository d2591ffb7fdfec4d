"""What click says of a wrong command line, in Chinese: its own words, those that depend on a count, the system's."""

from __future__ import annotations

import pytest

from tests.cli.chinese import english_in

WRONG = [
    "instal", "install --no-such", "install --torch", "resolve a b c", "resolve --format csv", "verify --lang xx",
    "cache clean --older-than old", "config set key", "diagnose /no/such/file", "diagnose /", "bench --samples many",
    "jupyter-kernel", "completion tcsh", "verify --quick=yes",
]  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_line_is_answered_in_chinese(torchdoctor, line):
    """No sentence of click's or the system's stays English, and the colon brings its own space."""
    ran = torchdoctor("--lang", "zh", *line.split())
    said = ran.err if ran.status else ran.out
    assert english_in(said) == []
    assert "： " not in said  # noqa: RUF001
