"""The host system: commands that fail in every way end as values, soon; files come bounded."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from torchdoctor.core.system import HostSystem, host_system
from torchdoctor.core.system.process import OUTPUT_LIMIT_BYTES

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")


def _script(folder: Path, text: str, name: str = "tool") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def system() -> HostSystem:
    return host_system(os.environ)


@pytest.mark.process
def test_a_command_gives_what_it_printed(system):
    """Both streams and the status come back, decoded."""
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    answer = system.run([sys.executable, "-c", code])
    assert (answer.ok, answer.status, answer.stdout.split(), answer.stderr.split()) == (
        True,
        0,
        ["out"],
        ["err"],
    )


def test_a_missing_command_is_a_value(system):
    """What is not there says so and raises nothing."""
    answer = system.run(["torchdoctor-has-no-such-tool"])
    assert answer.failure == "missing"
    assert answer.cause == "torchdoctor-has-no-such-tool is not there"


@pytest.mark.process
@posix
def test_a_file_that_cannot_run_is_a_value(system, tmp_path):
    """A file without the right to be run, and one of another processor, say so."""
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELFrubbish")
    assert system.run([str(path)]).failure == "denied"
    path.chmod(0o755)
    assert system.run([str(path)]).failure == "denied"


@pytest.mark.process
@posix
def test_a_failing_command_gives_its_last_words(system, tmp_path):
    """The cause names the status and the last line of the error stream."""
    answer = system.run([_script(tmp_path, "echo first >&2; echo 'no driver' >&2; exit 9")])
    assert (answer.failure, answer.status) == ("status", 9)
    assert answer.cause == "tool failed with status 9: no driver"


@pytest.mark.process
@posix
def test_a_command_that_never_ends_is_stopped(system, tmp_path):
    """At the limit the whole process group is killed, and what was printed before is kept."""
    marker = tmp_path / "alive"
    began = time.monotonic()
    answer = system.run(
        [_script(tmp_path, f"echo early; (sleep 1.5; touch {marker}) & sleep 60")], timeout=0.5
    )
    assert time.monotonic() - began < 20
    assert (answer.failure, answer.stdout) == ("time-limit", "early\n")
    assert answer.cause == "tool did not answer within 0.5 s"
    time.sleep(1.6)
    assert not marker.exists()


@pytest.mark.process
@posix
def test_a_child_left_behind_does_not_take_the_answer_along(system, tmp_path):
    """A command that ended well, with a child that holds its output open, is waited for to the limit only."""
    answer = system.run([_script(tmp_path, "echo done; sleep 60 &")], timeout=0.5)
    assert (answer.ok, answer.stdout) == (True, "done\n")


@pytest.mark.process
@posix
def test_endless_output_is_cut(system, tmp_path):
    """A command that prints 100 MB is stopped at the first mebibyte."""
    began = time.monotonic()
    answer = system.run([_script(tmp_path, "yes nonsense | head -c 100000000")])
    assert answer.failure == "too-long"
    assert len(answer.stdout) <= OUTPUT_LIMIT_BYTES + 1
    assert time.monotonic() - began < 20


@pytest.mark.process
@posix
def test_bytes_that_are_no_text_are_replaced(system, tmp_path):
    """Invalid UTF-8 does not raise."""
    assert system.run([_script(tmp_path, r"printf '\377\376ok'")]).stdout == "\ufffd\ufffdok"


@pytest.mark.process
@posix
def test_a_command_speaks_english_and_hears_nothing(tmp_path):
    """LC_ALL is C whatever the caller's is, and standard input is empty."""
    system = HostSystem(environ={"PATH": os.defpath, "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"})
    assert system.run([_script(tmp_path, 'echo "$LC_ALL $LANGUAGE"; cat')]).stdout == "C C\n"


def test_files_are_read_up_to_a_limit(tmp_path):
    """No more than asked for is read, and what is no readable file is None."""
    (tmp_path / "long").write_text("x" * 100)
    system = HostSystem(environ={}, root=tmp_path)
    assert system.read_text("/long", limit=10) == "x" * 10
    assert system.read_text("/missing") is None
    assert system.read_text("/") is None
    assert system.read_text("/a\0b") is None


@posix
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    """A FIFO is no regular file and is not opened."""
    os.mkfifo(tmp_path / "pipe")
    assert HostSystem(environ={}, root=tmp_path).read_text("/pipe") is None


def test_the_root_is_a_prefix_of_files_only(tmp_path):
    """A pattern matches under the root and answers with paths as if the root were /."""
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "a[1]").write_text("1")
    system = HostSystem(environ={}, root=tmp_path)
    assert system.glob("/sys/*") == ("/sys/a[1]",)
    assert system.exists("/sys/a[1]")
    assert not system.exists("/proc")
