"""No server keeps torchdoctor or uv waiting or growing: what uv asks for is known, bounded and said."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.loopback import Fault
from torchdoctor.core.system import uv
from torchdoctor.core.system.process_memory import resident_bytes
from torchdoctor.core.system.uv import run_uv, uv_environ
from torchdoctor.core.system.uv_log import UvLog
from torchdoctor.errors import SourceFailed
from torchdoctor.report.terminal.stages import StageLines
from torchdoctor.sources.sdists import arriving

# What uv 0.13.9 wrote of a server that answers nothing, with UV_HTTP_RETRIES=2.
SILENT = b"""DEBUG No cache entry for: http://me:word@127.0.0.1:8801/simple/idna/
DEBUG Sending fresh GET request for: http://me:word@127.0.0.1:8801/simple/idna/
DEBUG Transient request failure for `http://127.0.0.1:8801/simple/idna/`, retrying: error sending request for url
  Caused by: operation timed out
error: Request failed after 2 retries in 20.2s
  cause: Failed to fetch: http://127.0.0.1:8801/simple/idna/
  cause: operation timed out
"""


def read(text, clock=lambda: 0.0):
    log = UvLog(clock)
    for line in text.splitlines(keepends=True):
        log.add(line)
    return log


def test_the_log_of_uv_is_no_part_of_its_error():
    """What it says of the failure is all that is kept, and the password of what it asks for is not shown."""
    log = read(SILENT)
    assert log.text.splitlines()[0] == "error: Request failed after 2 retries in 20.2s"
    assert "Transient" not in log.text
    assert "Caused by" not in log.text
    assert "word" not in log.asked
    assert log.asked.endswith("127.0.0.1:8801/simple/idna/")


@given(st.binary(max_size=300))
def test_whatever_uv_writes_is_taken(line):
    """No line raises, and what is no log is kept."""
    log = UvLog()
    log.add(line)
    assert isinstance(log.asked, str)


@pytest.fixture
def bounds(monkeypatch):
    """Bounds of a run in which uv last wrote something at second 0; the clock goes on by hand."""
    now = [0.0]
    monkeypatch.setattr(uv, "resident_bytes", lambda _: 160 << 20)

    def make(text=SILENT, silence=60.0):
        return uv._Bounds(os.getpid(), read(text, lambda: now[0]), 900.0, silence), now

    return make


def test_a_server_that_says_nothing_is_given_up_in_a_minute_and_named(bounds):
    """Whatever it did before."""
    limit, now = bounds()
    now[0] = 59.0
    limit.check(100.0)
    now[0] = 60.0
    with pytest.raises(SourceFailed, match="simple/idna/") as given_up:
        limit.check(101.0)
    assert given_up.value.code == "stalled"


def test_a_whole_wheel_may_take_longer(bounds):
    """uv reads it where an index has neither metadata nor ranges; then its whole work is bounded."""
    limit, now = bounds(
        b"DEBUG Sending fresh GET request for: https://x.example/a-1-py3-none-any.whl#sha256=1\n"
    )
    now[0] = 300.0
    limit.check(300.0)


def test_uv_that_grows_is_stopped(bounds, monkeypatch):
    """An endless page made it hold 1.7 GB; the largest solve that was measured takes 160 MiB."""
    monkeypatch.setattr(uv, "MAX_MEMORY_BYTES", 1)
    limit, _ = bounds()
    with pytest.raises(SourceFailed, match="simple/idna/") as stopped:
        limit.check(1.0)
    assert stopped.value.code == "too-large"


@pytest.mark.process
def test_the_memory_of_a_process_is_known():
    """Of this one; of one that does not exist it is not."""
    assert resident_bytes(os.getpid()) > 1 << 20
    assert resident_bytes(2**30) is None


def test_uv_gives_a_silent_server_up_within_a_minute():
    """Fifteen seconds, three times; whoever sets other times has them, and as much silence is allowed."""
    clean = uv_environ({})
    assert float(clean["UV_HTTP_TIMEOUT"]) * (1 + int(clean["UV_HTTP_RETRIES"])) < 60
    own = uv_environ({"UV_HTTP_TIMEOUT": "200", "UV_HTTP_RETRIES": "0"})
    assert (own["UV_HTTP_TIMEOUT"], own["UV_HTTP_RETRIES"]) == ("200", "0")
    assert "UV_HTTP_TIMEOUT" not in uv_environ({"HTTP_TIMEOUT": "200"})
    assert uv._allowed_silence(60.0, own) > 200
    assert uv._allowed_silence(60.0, {"UV_HTTP_TIMEOUT": "soon"}) == 60.0


def test_a_source_that_trickles_is_given_up():
    """A byte each ten seconds is no progress; a slow line is."""
    now = [0.0]

    def trickle(size, count):
        for _ in range(count):
            now[0] += 10.0
            yield b"x" * size

    with pytest.raises(TimeoutError):
        list(arriving(trickle(1, 100), lambda: now[0]))
    assert len(list(arriving(trickle(20_000, 100), lambda: now[0]))) == 100


def test_a_wait_says_what_it_waits_for(capsys):
    """Each ten seconds, with the page."""
    StageLines(quiet=False, verbose=0).waiting("lock", 10.0, "https://x.example/simple/idna/")
    assert "https://x.example/simple/idna/" in capsys.readouterr().err


@pytest.mark.process
def test_a_page_that_drips_does_not_keep_uv(index, tmp_path):
    """It is never silent for long, and never complete."""
    index.pages["/simple/idna/"] = b"<html>" + b" " * 1000
    index.faults["/simple/idna/"] = Fault(drip=0.3)
    (tmp_path / "in.txt").write_text("idna\n")
    arguments = (
        "pip", "compile", "in.txt", "--quiet", "--no-config", "--no-cache", "--python", sys.executable,
        "--default-index", f"{index.url}/simple",
    )  # fmt: skip
    with pytest.raises(SourceFailed, match="/simple/idna/") as given_up:
        run_uv(
            arguments,
            environ=os.environ,
            folder=tmp_path,
            limit=60.0,
            silence=1.0,
        )
    assert given_up.value.code == "stalled"
