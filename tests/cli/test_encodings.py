"""Every character that is printed exists in the output's encoding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.cli.look_alikes import write_look_alikes

# What pipes have on Windows in Western Europe and in China, on an old Unix, and everywhere else.
ENCODINGS = ("cp1252", "gbk", "ascii", "latin-1", "utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii"])
def test_marks_become_letters_where_the_encoding_lacks_them(encoding):
    """No escape stands where people look for the result."""
    written = "✓ torch → 2.9 ✗".encode(encoding, write_look_alikes()).decode(encoding)
    assert "\\u" not in written
    assert written.startswith("ok torch ")
    assert written.endswith(" x")


@given(text=st.text(max_size=40), encoding=st.sampled_from(ENCODINGS))
def test_any_text_can_be_written_in_any_encoding(text, encoding):
    """What has no look-alike is escaped, and nothing fails."""
    assert isinstance(text.encode(encoding, write_look_alikes()), bytes)


def piped(*arguments, encoding, **environ):
    """The bytes of a command whose output goes into a pipe of this encoding."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("LC_")}
    return subprocess.run(
        [sys.executable, "-m", "torchdoctor", *arguments],
        env={**clean, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LANG": "C", **environ},
        capture_output=True,
        check=False,
        timeout=120,
    ).stdout


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["cp1252", "gbk"])
def test_a_diagnosis_in_a_pipe_has_no_escapes(encoding):
    """Its marks are letters."""
    text = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
    shown = piped("diagnose", "--text", text, encoding=encoding).decode(encoding)
    assert "driver" in shown
    assert "\\u" not in shown


@pytest.mark.process
def test_chinese_that_was_asked_for_is_utf8_where_the_encoding_cannot_carry_it():
    """Escapes would help nobody."""
    shown = piped("--lang", "zh", "explain", "driver-too-old", encoding="cp1252")
    assert "驱动" in shown.decode("utf-8")


@pytest.mark.process
def test_chinese_stays_in_an_encoding_that_has_it():
    """A Chinese Windows' console is in GBK."""
    shown = piped("--lang", "zh", "explain", "driver-too-old", encoding="gbk")
    assert "驱动" in shown.decode("gbk")
