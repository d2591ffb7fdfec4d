"""The exit status tells whose fault it is: the machine's, the user's, a source's or ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from torchdoctor import errors
from torchdoctor.cli.errors import failure_of

ROOT = Path(__file__).parents[2]
STATUSES = ["0", "1", "2", "3", "4", "5", "70", "130"]


def _status_of(error):
    failure = failure_of(error, argv=[], root=None)
    return failure.status, failure.code


def test_a_crash_of_ours_is_not_a_problem_found():
    """1 is for problems of the machine; CI has to tell the two apart."""
    assert _status_of(RuntimeError("a bug")) == (70, "internal")


@pytest.mark.parametrize("status", [None, 0, 1, 3, "text"])
def test_a_library_that_exits_does_not_choose_the_status(status):
    """It ended a command that had not finished, whatever it says."""
    assert _status_of(SystemExit(status)) == (70, "internal")


def test_a_library_that_exits_as_nobody_reads_is_no_failure():
    """rich answers a broken pipe with an exit."""
    error = SystemExit(1)
    error.__context__ = BrokenPipeError()
    assert failure_of(error, argv=[], root=None) is None


def test_a_file_that_the_system_refuses_is_like_wrong_usage():
    """A disk that is full, a folder that is read-only: nothing was found out about torch."""
    failure = failure_of(PermissionError(13, "Permission denied", "/x"), argv=[], root=None)
    assert (failure.status, failure.code) == (2, "system")
    assert "/x: Permission denied" in str(failure.text)


def test_every_error_has_a_documented_status():
    """Only what was found out about a machine or a kernel is 1."""
    classes = [getattr(errors, name) for name in errors.__all__ if name != "TorchdoctorError"]
    assert {str(error.exit_status) for error in classes} <= set(STATUSES)
    assert [error.__name__ for error in classes if error.exit_status == 1] == ["KernelFailed"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("raised", "status", "kind"),
    [("RuntimeError('x')", 70, "internal"), ("SystemExit(0)", 70, "internal"), ("OSError('x')", 2, "system")],
)
def test_the_process_ends_with_it(raised, status, kind):
    """And the one JSON document names the code."""
    code = (
        "from torchdoctor.cli import app\n"
        f"def fail(_ctx): raise {raised}\n"
        "app.cli.invoke = fail\n"
        "app.main(['cache', 'info', '--json'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (status, "")
    assert f'"kind": "{kind}"' in ran.stdout


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/reference/exit-status.md"])
def test_every_table_has_every_status(name):
    """No page forgets one."""
    rows = re.findall(r"(?m)^\| (\d+) \|", (ROOT / name).read_text("utf-8"))
    assert rows == STATUSES


@pytest.mark.process
def test_the_help_has_every_status(torchdoctor):
    """Below the commands."""
    table = torchdoctor("--help").out.partition("Exit status:")[2]
    assert re.findall(r"\d+", table) == STATUSES
