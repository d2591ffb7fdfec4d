"""What click says of a wrong command line, in Chinese: its own words, those that depend on a count, the system's."""

from __future__ import annotations

import pytest

from tests.cli.chinese import english_in, stray_marks_in

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
    assert stray_marks_in(said) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[a]\n[a]\n", "line 2: the table a is there twice"),
        ("x = [", "line 1, column 6, the end: Invalid value"),
        ("x = zz", "line 1, column 5: Invalid value"),
    ],
)
def test_a_config_file_that_is_not_toml_is_explained_in_chinese(torchdoctor, tmp_path, text, line):
    """Where it is wrong, and what Python's reader says of it."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert line in torchdoctor("config", TORCHDOCTOR_CONFIG=str(path)).err
    assert english_in(torchdoctor("config", "--lang", "zh", TORCHDOCTOR_CONFIG=str(path)).err) == []


@pytest.mark.parametrize("line", ["--help", "verify --help", "config --help"])
def test_the_help_has_full_width_colons_and_chinese_placeholders(torchdoctor, line):
    """The first line and the headings too."""
    said = torchdoctor("--lang", "zh", *line.split()).out
    assert "[选项]" in said
    assert "选项：\n" in said  # noqa: RUF001
    assert stray_marks_in(said) == []
