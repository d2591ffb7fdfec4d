"""How a fetch is told: bars for a terminal, lines for a log, nothing with -q."""

from __future__ import annotations

import os
import pty
import select

import pytest

from torchdoctor.report.terminal import download_progress
from torchdoctor.report.terminal.download_progress import FetchLines, Tally, short_name
from torchdoctor.report.terminal.stages import StageLines

NAME = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_tally_says_how_much_how_fast_and_how_long():
    """Bytes, speed of late, time left, files."""
    clock = Clock()
    tally = Tally(3_000_000_000, 2, clock)
    for _ in range(20):
        clock.now += 1
        tally.advance(50_000_000)
    tally.file(NAME, 100, 100)
    assert tally.text() == "1,000.0 of 3,000.0 MB, 50.0 MB/s, 40 s left (1 of 2 files)"


def test_the_speed_is_that_of_late():
    """A fast beginning does not promise a fast end."""
    clock = Clock()
    tally = Tally(10**9, 1, clock)
    for second in range(60):
        clock.now += 1
        tally.advance(10_000_000 if second < 30 else 1_000_000)
    assert 0.9e6 < tally.rate < 1.2e6


def test_a_total_that_no_index_tells_is_known_when_every_file_has_begun():
    """Until then there is no time left to tell."""
    tally = Tally(None, 2)
    tally.file("a", 0, 500)
    assert tally.total is None
    assert "left" not in tally.text()
    tally.file("b", 0, 700)
    assert tally.total == 1200


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7300, "2 h 1 min")]
)
def test_times_are_said_in_few_words(seconds, text):
    """No fractions."""
    assert download_progress._duration(seconds) == text


def test_a_wheel_is_named_by_its_name_and_version():
    """A column has no room for the rest."""
    assert short_name(NAME) == "torch-2.13.0+cpu"
    assert len(short_name("x" * 300)) == 30


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    """Not one for each piece."""
    monkeypatch.setattr(download_progress, "_LINE_INTERVAL_SECONDS", 0.0)
    said: list[str] = []
    lines = FetchLines(1_000_000, 1, said.append)
    lines.advance(250_000)
    assert said[0].startswith("fetch     0.2 of 1.0 MB")
    monkeypatch.setattr(download_progress, "_LINE_INTERVAL_SECONDS", 60.0)
    quiet: list[str] = []
    lines = FetchLines(1_000_000, 1, quiet.append)
    for _ in range(100):
        lines.advance(1000)
    assert quiet == []


def test_quiet_is_silent(capsys):
    """-q prints neither bars nor lines nor tries."""
    report = StageLines(quiet=True)
    report.start(100, 1)
    report.file(NAME, 50, 100)
    report.advance(100)
    report.retry(NAME, "it broke")
    report.close()
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_for_all_and_one_for_each_file(monkeypatch):
    """With the speed and the time left; notes are written above them."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal, os.fdopen(master, "rb", buffering=0) as screen:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        report = StageLines()
        report.start(2_000_000, 2)
        report.file(NAME, 500_000, 1_000_000)
        report.advance(500_000)
        report.note("a note")
        report.close()
        terminal.flush()
        written = b""
        # A terminal hands out what was written in pieces.
        while select.select([screen], [], [], 0.5)[0]:
            written += screen.read(65536)
        shown = written.decode("utf-8", "replace")
    assert "2 files" in shown
    assert "torch-2.13.0+cpu" in shown
    assert "a note" in shown


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [(0, None, ""), (2_500_000, None, "2.5 MB"), (500_000, 2_000_000, "0.5 of 2.0 MB")],
)
def test_a_bar_says_nothing_of_what_is_not_known(done, total, text):
    """No question marks."""
    assert download_progress._bytes_of(done, total) == text
