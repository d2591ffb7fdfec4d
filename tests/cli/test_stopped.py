"""A signal that stops torchdoctor ends every process that it started, in whatever thread."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.probe.fakes import environment
from torchdoctor.core.system.running_processes import RunningProcesses

# Its import says that it has begun, and hangs.
SLOW_TORCH = """
import os, time
open({said!r}, "w").write(str(os.getpid()) + ".")
time.sleep(300)
"""


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_for(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.process
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["doctor", "--no-network"], signal.SIGINT),
        (["doctor", "--no-network"], signal.SIGTERM),
        pytest.param(["doctor", "--no-network"], signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(["verify", "--quick"], signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_no_probe_is_left_nor_its_folder(words, number, tmp_path, alone):
    said, temporary = tmp_path / "said", tmp_path / "temporary"
    temporary.mkdir()
    python = environment(tmp_path / ".venv")
    torch = next(python.parents[1].glob("lib/python3*/site-packages")) / "torch"
    torch.mkdir()
    (torch / "__init__.py").write_text(SLOW_TORCH.format(said=str(said)))
    with subprocess.Popen(
        [sys.executable, "-m", "torchdoctor", *words],
        cwd=tmp_path, env={**alone, "TMPDIR": str(temporary)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert _wait_for(lambda: said.exists() and said.read_text().endswith("."))
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert _wait_for(lambda: not _is_alive(int(said.read_text()[:-1])))
    assert not list(temporary.glob("torchdoctor-*"))


class _Process:
    killed = False

    def kill_group(self):
        self.killed = True


def test_what_runs_at_the_end_is_killed_and_nothing_starts_any_more():
    running, ended, still = RunningProcesses(), _Process(), _Process()
    for process in (ended, still):
        with running.start() as started:
            started.add(process)
    running.forget(ended)
    running.end()
    assert still.killed
    assert not ended.killed
    with pytest.raises(OSError, match="torchdoctor ends"), running.start():
        pass
