"""What a terminal shows while checks run: a line that changes, and nothing of it in the end."""

from __future__ import annotations

import threading

from torchdoctor.core.i18n import translate
from torchdoctor.report.terminal.count_line import ClockLine
from torchdoctor.report.terminal.stages import StageLines


def test_the_line_is_written_at_once_and_removed_in_the_end(capsys):
    """Within the blink of an eye somebody sees that something is done."""
    written = threading.Event()

    def text(seconds):
        written.set()
        return f"{seconds:.0f} s"

    line = ClockLine(text, threading.Lock())
    assert written.wait(10)
    line.close()
    assert capsys.readouterr().err == "\r0 s\r"  # click leaves the codes out where there is no terminal


def test_it_says_which_check_ended_last(monkeypatch):
    """A slow one is seen by its neighbour."""
    lines = StageLines()
    monkeypatch.setattr(lines, "terminal", False)
    assert "importing torch; 2 s" in translate(lines._checks_text(2))
    lines.checked("tensor")
    lines.checked("matmul")
    assert lines._checks_text(31).strip() == "2 checks, the last matmul; 31 s"


def test_a_pipe_gets_no_line_that_changes(capsys):
    """A log would be full of them."""
    lines = StageLines()
    lines.checked(None)
    lines.checked("tensor")
    lines.close()
    assert capsys.readouterr().err == ""
