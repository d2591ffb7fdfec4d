"""Child processes end at their deadline with everything they started, and their output stays bounded."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from torchdoctor.core.system import process as process_module
from torchdoctor.core.system.process import (
    MERGED,
    OUTPUT_LIMIT_BYTES,
    PIPE,
    ManagedProcess,
    Tail,
    read_chunks,
    read_lines,
    run_process,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="process groups")

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
# A parent that starts a child, says its number, and ends or waits.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep({seconds})
"""


def _alive(pid: int) -> bool:
    """Whether a process runs, zombies (which nobody reaps in a container) not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _gone(pid: int) -> bool:
    for _ in range(200):
        if not _alive(pid):
            return True
        time.sleep(0.05)
    return False


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")


@pytest.mark.process
@linux
@pytest.mark.parametrize("seconds", [60, 0], ids=["parent-runs", "parent-has-ended"])
def test_leaving_the_block_kills_what_the_process_started(seconds):
    """A grandchild is killed with its group, also when its parent has ended before."""
    argv = [sys.executable, "-c", PARENT.format(seconds=seconds)]
    with ManagedProcess(argv, stdout=PIPE) as process:
        child = int(process.stdout.readline())
        assert _alive(child)
        if not seconds:
            assert process.wait(30)
        process.close_pipes()
    assert _gone(child)


@pytest.mark.process
@linux
def test_an_exception_in_the_block_kills_the_process():
    """An interrupt leaves nothing running."""
    with pytest.raises(KeyboardInterrupt), ManagedProcess(SLEEPS) as process:
        raise KeyboardInterrupt
    assert _gone(process.pid)


@pytest.mark.process
@linux
def test_a_deadline_kills_the_grandchildren_too():
    """What a command started does not outlive its time limit."""
    argv = (sys.executable, "-c", PARENT.format(seconds=60))
    answer = run_process(sys.executable, argv, os.environ, 3.0)
    assert answer.failure == "time-limit"
    assert _gone(int(answer.stdout))


@pytest.mark.process
@posix
def test_a_process_has_a_group_of_its_own():
    """Ctrl-C on a terminal reaches torchdoctor's group only."""
    with ManagedProcess(SLEEPS) as process:
        assert os.getpgid(process.pid) == process.pid != os.getpgrp()


@pytest.mark.process
@posix
def test_stop_asks_before_it_kills():
    """A process that handles SIGINT ends by itself."""
    code = "import signal, sys, time\nsignal.signal(2, lambda *_: sys.exit(5))\nprint(1, flush=True)\ntime.sleep(60)"
    with ManagedProcess([sys.executable, "-c", code], stdout=PIPE) as process:
        process.stdout.readline()
        process.close_pipes()
        process.stop(30)
        assert process.status == 5


@pytest.mark.process
@posix
def test_stop_kills_a_process_that_does_not_listen():
    """A process that ignores SIGINT is killed after the time it is given."""
    code = "import signal, time\nsignal.signal(2, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(60)"
    with ManagedProcess([sys.executable, "-c", code], stdout=PIPE) as process:
        process.stdout.readline()
        process.close_pipes()
        process.stop(0.2)
        assert process.status == -signal.SIGKILL


@pytest.mark.process
def test_waiting_ends_at_its_limit():
    """`wait` says whether the process has ended."""
    with ManagedProcess(SLEEPS) as process:
        assert not process.wait(0.1)
        assert process.status is None
    assert process.wait(10)


@pytest.mark.process
def test_a_program_that_is_missing_raises():
    """A process that cannot be started is an OSError."""
    with pytest.raises(FileNotFoundError):
        ManagedProcess(["/nowhere/tool"])


@pytest.mark.process
def test_input_and_output_are_closed_unless_asked_for():
    """Nothing can be read from a stream that is no pipe."""
    with ManagedProcess([sys.executable, "-c", "import sys; sys.exit(len(sys.stdin.read()))"]) as process:
        assert process.wait(30)
        assert process.status == 0
        with pytest.raises(ValueError, match="no pipe"):
            process.stdout.read()


@pytest.mark.process
def test_output_of_exactly_the_limit_is_whole():
    """One mebibyte is not too long; one byte more is."""
    for more, failure in ((0, None), (1, "too-long")):
        code = f"print('x' * {OUTPUT_LIMIT_BYTES + more}, end='')"
        answer = run_process(sys.executable, (sys.executable, "-c", code), os.environ, 30)
        assert answer.failure == failure


@pytest.mark.process
def test_a_reader_gets_chunks_until_it_has_enough():
    """Reading stops when `on_chunk` returns False, although the process prints on."""
    seen = []
    with ManagedProcess([sys.executable, "-c", "while True: print('x' * 1000)"], stdout=PIPE) as process:
        read_chunks(process.stdout, lambda chunk: seen.append(len(chunk)) or len(seen) < 3).join(30)
    assert len(seen) == 3


@pytest.mark.process
def test_lines_are_read_to_the_end_and_long_ones_are_cut():
    """Each line is given with its end, a very long one in pieces of 64 KiB, and the end is told."""
    ended, lines = threading.Event(), []
    code = "import sys; print('first'); print('x' * 70000, file=sys.stderr)"
    with ManagedProcess([sys.executable, "-u", "-c", code], stdout=PIPE, stderr=MERGED) as process:
        read_lines(process.stdout, lines.append, ended.set)
        assert ended.wait(30)
    assert [len(line) for line in lines] == [6, 1 << 16, 70001 - (1 << 16)]


def test_a_tail_keeps_the_end():
    """Old bytes are dropped, and what is no UTF-8 is replaced."""
    tail = Tail(4)
    for chunk in (b"abc", b"def\xff"):
        tail.add(chunk)
    assert tail.text == "def\ufffd"


@pytest.mark.process
def test_windows_ends_the_tree_of_children(monkeypatch):
    """taskkill follows the children, and a process that has ended is not looked for."""
    calls = []
    monkeypatch.setattr(process_module.sys, "platform", "win32")
    monkeypatch.setattr(process_module, "_kill_windows_tree", calls.append)
    process = ManagedProcess([sys.executable, "-c", "input()"], stdin=PIPE)
    process.kill_group()
    assert calls == [process.pid]
    process.close_pipes()
    assert process.wait(30)
    process.kill_group()
    assert calls == [process.pid]


@pytest.mark.process
@posix
def test_taskkill_is_called_with_the_tree_option(monkeypatch, tmp_path):
    """The command is the one of Microsoft's documentation; its absence is no error."""
    tool = tmp_path / "System32" / "taskkill.exe"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    tool.chmod(0o755)
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    process_module._kill_windows_tree(42)
    assert (tmp_path / "called").read_text() == "/F /T /PID 42\n"
    tool.unlink()
    process_module._kill_windows_tree(42)


@pytest.mark.process
def test_a_process_that_cannot_be_killed_is_left_behind(monkeypatch):
    """One that is stuck in a driver has no status, and Popen does not warn about it."""
    process = ManagedProcess([sys.executable, "-c", "input()"], stdin=PIPE)
    with monkeypatch.context() as patched:
        patched.setattr(process_module, "kill_group", lambda _: None)
        process.kill(0.01)
    assert process.status is None
    process.close_pipes()
    os.kill(process.pid, signal.SIGKILL)
