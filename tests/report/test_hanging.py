"""Long lines on a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from torchdoctor.report.terminal.wrap import hanging

SENTENCE = "no reachable source has it; torch 2.13.0 is the newest that one has"


def test_a_file_gets_whole_lines():
    """Who greps a log finds the sentence."""
    assert hanging(SENTENCE, 10, None) == SENTENCE


def test_words_stay_whole_and_the_rest_hangs_below_the_first():
    """Read like a table's cell."""
    assert hanging(SENTENCE, 10, 50).split("\n") == [
        "no reachable source has it; torch 2.13.0", "          is the newest that one has"
    ]  # fmt: skip


def test_chinese_signs_take_two_columns():
    """A line is as long as it looks."""
    said = "没有找到能用的显卡，所以用处理器的构建。"  # noqa: RUF001  # Chinese has commas of its own
    lines = hanging(said * 4, 10, 60).split("\n")
    assert len(lines) > 1
    assert all(cell_len(line) <= 60 for line in lines)


def test_a_path_is_left_whole():
    """It can be copied."""
    path = "/home/ada/" + "deep/" * 30 + ".venv"
    assert path in hanging(f"made {path} with Python 3.11", 10, 60)


@given(st.text(alphabet="ab c\u4e2d\u6587,;", max_size=200), st.integers(0, 30), st.integers(1, 120))
def test_no_sign_is_lost(text, indent, columns):
    """Only spaces come and go."""
    assert "".join(hanging(text, indent, columns).split()) == "".join(text.split())
