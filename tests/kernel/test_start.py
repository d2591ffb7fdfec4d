"""Kernels that die, hang, print garbage or answer wrongly: each is named, and no process stays behind."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from torchdoctor.errors import KernelFailed
from torchdoctor.kernel.cell_checks import judge_cells
from torchdoctor.kernel.run_cells import run_cells
from torchdoctor.kernel.session import CellLimits, CellSession

# What ends by itself has all the time it wants; what hangs is not waited for long.
PATIENT = CellLimits(start=120, cell=120)
SHORT = CellLimits(start=2, cell=2)

# Speaks ZeroMQ on the shell channel, but not Jupyter's protocol.
GARBAGE = """
import json, sys, time, zmq
info = json.load(open(sys.argv[1]))
socket = zmq.Context().socket(zmq.ROUTER)
socket.bind("tcp://%s:%d" % (info["ip"], info["shell_port"]))
while True:
    identity = socket.recv_multipart()[0]
    socket.send_multipart([identity, b"this", b"is", b"not", b"Jupyter"])
"""


def spec(folder, script, *, argv=None):
    """A kernel that runs `script`, which leaves its process number in pid."""
    place = folder / "kernels" / "bad"
    place.mkdir(parents=True)
    (place / "bad.py").write_text(
        f"import os\nopen({str(folder / 'pid')!r}, 'w').write(str(os.getpid()))\n{script}"
    )
    command = argv or [sys.executable, "-u", str(place / "bad.py"), "{connection_file}"]
    document = {"argv": command, "display_name": "Bad", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(document))
    return place


def is_alive(pid):
    """Whether the process still runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(folder):
    """Whether the kernel's process goes, given a moment."""
    if not (folder / "pid").exists():
        return True  # It was stopped before its first line.
    pid = int((folder / "pid").read_text())
    for _ in range(100):
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def run(place, **more):
    """The session of the kernel in `place`."""
    return run_cells(Path(sys.executable), place, environ=dict(os.environ), **{"limits": PATIENT, **more})


@pytest.mark.process
def test_a_kernel_that_dies_is_named_with_its_last_words(tmp_path):
    """What it printed before it went is the reason."""
    session = run(spec(tmp_path, "import sys; print('no such module: ipykernel'); sys.exit(3)"))
    assert (session.failed_at, session.kind) == ("start", "died")
    (start, *rest) = judge_cells(session, expected_prefix=None)
    assert start.status == "fail"
    assert "status 3" in start.detail
    assert "no such module: ipykernel" in start.detail
    assert {row.status for row in rest} == {"skip"}


@pytest.mark.process
def test_a_kernel_that_hangs_is_stopped_at_the_limit(tmp_path):
    """It never says what it is; its process does not outlive the check."""
    session = run(spec(tmp_path, "import time; time.sleep(3600)"), limits=SHORT)
    assert (session.failed_at, session.kind) == ("start", "silent")
    assert "within 2 s" in session.detail
    assert gone(tmp_path)


@pytest.mark.process
def test_a_kernel_that_ignores_being_asked_to_stop_is_killed(tmp_path):
    """SIGTERM and SIGINT are not enough for some."""
    script = "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(3600)"
    assert run(spec(tmp_path, script), limits=SHORT).kind == "silent"
    assert gone(tmp_path)


@pytest.mark.process
def test_a_kernel_that_prints_without_end_keeps_neither_us_nor_the_disk_busy(tmp_path):
    """Only the end of it is kept."""
    session = run(spec(tmp_path, "while True: print('\\x1b[31mgarbage ' * 500)"), limits=SHORT)
    assert session.kind == "silent"
    assert 0 < sum(map(len, session.output)) < 10_000
    assert gone(tmp_path)


@pytest.mark.process
def test_a_kernel_that_speaks_something_else_is_named(tmp_path):
    """The sockets answer, and not in Jupyter's protocol."""
    session = run(spec(tmp_path, GARBAGE))
    assert (session.failed_at, session.kind) == ("start", "garbage")
    assert "does not speak Jupyter's protocol" in judge_cells(session, expected_prefix=None)[0].detail
    assert gone(tmp_path)


@pytest.mark.process
def test_a_kernel_that_prints_our_mark_is_not_believed(tmp_path):
    """The mark is another one each time, and what the kernel prints goes elsewhere."""
    script = 'import time\nprint(\'torchdoctor-00:{"event": "end"}\')\ntime.sleep(3600)'
    assert run(spec(tmp_path, script), limits=SHORT).kind == "silent"


def test_a_cell_that_hangs_is_named_and_stopped_with_its_kernel(demo, real, tmp_path, monkeypatch):
    """The import never comes back: the checks before it stand, those after it are skipped."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    script = (
        f"import os, sys, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "class Wait:\n def find_spec(self, name, *rest):\n  if name == 'torch': time.sleep(3600)\n"
        "sys.meta_path.insert(0, Wait())\n"
    )
    (startup / "00-wait.py").write_text(script)
    session = run_cells(real.python, demo, environ=dict(os.environ), limits=CellLimits(start=120, cell=2))
    assert (session.failed_at, session.kind) == ("import", "silent")
    status = [row.status for row in judge_cells(session, expected_prefix=real.folder)]
    assert status == ["pass", "pass", "fail", "skip", "skip"]
    assert gone(tmp_path)


@pytest.mark.process
def test_a_kernel_whose_program_is_gone_is_named(tmp_path):
    """The system's own words."""
    session = run(spec(tmp_path, "", argv=["/nowhere/python", "-f", "{connection_file}"]))
    assert (session.failed_at, session.kind) == ("start", "start")
    assert "/nowhere/python" in session.detail


@pytest.mark.process
def test_a_python_without_jupyter_cannot_start_a_kernel(tmp_path):
    """Named as what is missing."""
    import subprocess

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    place = spec(tmp_path, "")
    session = run_cells(tmp_path / "bare/bin/python", place, environ=dict(os.environ), limits=PATIENT)
    assert session.failed_at == "start"
    assert "jupyter_client" in session.detail


@pytest.mark.process
def test_a_client_that_is_no_python_is_an_error_of_ours(tmp_path):
    """No traceback, and what to do."""
    with pytest.raises(KernelFailed) as caught:
        run_cells(tmp_path / "nothing", tmp_path, environ={}, limits=SHORT)
    assert "list" in caught.value.fix


@pytest.mark.process
def test_the_connection_file_is_not_left_behind(tmp_path, monkeypatch):
    """Jupyter's runtime folder stays as it was, even when the kernel had to be killed."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    run(spec(tmp_path, "import time; time.sleep(3600)"), limits=CellLimits(start=1, cell=1))
    assert not (tmp_path / "runtime").exists()


@pytest.mark.parametrize(
    ("answers", "check", "words"),
    [
        (
            {"python": {"prefix": "/other", "executable": "/other/bin/python"}},
            "python",
            "from /other instead of /envs/a",
        ),
        ({"tensor": {"gradient": [1.0], "device": "cuda:0"}}, "tensor", "is [1.0] instead"),
        ({"tensor": {}}, "tensor", "is None instead"),
    ],
)
def test_a_wrong_answer_fails_its_check(answers, check, words):
    """It ran, and what it said is not right."""
    whole = {
        "python": {"prefix": "/envs/a"},
        "import": {},
        "device": {},
        "tensor": {"gradient": [0.0, 2.0, 4.0, 6.0]},
    }
    checks = judge_cells(
        CellSession(answers={**whole, **answers}, seconds={}), expected_prefix=Path("/envs/a")
    )
    failed = [row for row in checks if row.status == "fail"]
    assert [row.id for row in failed] == [check]
    assert words in failed[0].detail
