"""The marks that choose tests can be trusted: nothing that starts a process or takes long is without one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFTEST = """
import pytest
from tests.kinds import (
    pytest_collection_modifyitems, pytest_runtest_call, pytest_runtest_makereport, pytest_runtest_protocol,
)

@pytest.fixture
def torchdoctor():
    return None
"""
MARKED = """
import subprocess, sys
import pytest
from hypothesis import given, strategies

RUN = [sys.executable, "-c", ""]

def test_unmarked():
    try:
        subprocess.run(RUN, check=True)
    except BaseException:
        pass

@pytest.fixture
def started():
    subprocess.run(RUN, check=True)

def test_unmarked_with_a_fixture(started):
    pass

@pytest.mark.process
def test_marked(started):
    subprocess.run(RUN, check=True)

def test_marked_by_its_fixture(torchdoctor):
    subprocess.run(RUN, check=True)

@given(strategies.booleans())
def test_examples(value):
    pass

@pytest.mark.huge
def test_gigabytes():
    pass

@pytest.mark.slow
def test_minutes():
    pass
"""


@pytest.fixture
def results(tmp_path):
    """Runs pytest with options on tests of each kind, and gives the line of each that ran."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_these.py").write_text(MARKED)
    marks = "markers =\n  process\n  torch\n  fuzz\n  browser\n  huge\n  slow\n"
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\naddopts = --strict-markers\npythonpath = {ROOT}\n{marks}"
    )

    def run(*options):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-q", *options],
            cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTEST_ADDOPTS": ""},  # not the coverage of the whole project
        )  # fmt: skip
        words = (line.split(" - ")[0].split() for line in done.stdout.splitlines())
        return {line[1].partition("::")[2]: line[0] for line in words if len(line) == 2 and "::" in line[1]}

    return run


@pytest.mark.process
def test_a_process_is_started_by_marked_tests_alone(results):
    """An unmarked test fails, even where the code catches whatever the refusal raises."""
    assert results() == {
        "test_unmarked": "FAILED",
        "test_unmarked_with_a_fixture": "ERROR",
        "test_marked": "PASSED",
        "test_marked_by_its_fixture": "PASSED",
        "test_examples": "PASSED",
    }


@pytest.mark.process
def test_kinds_that_nobody_wrote_down_can_be_left_out(results):
    """A fixture makes its user a test with a process, hypothesis one with many examples."""
    assert set(results("-m", "not process and not fuzz")) == {"test_unmarked", "test_unmarked_with_a_fixture"}


@pytest.mark.process
def test_what_needs_gigabytes_runs_where_it_is_asked_for(results):
    """Plain pytest runs everything else, and neither of the two runs with the other."""
    assert results("-m", "huge") == {"test_gigabytes": "PASSED"}
    assert results("-m", "slow") == {"test_minutes": "PASSED"}


LEFT_RUNNING = """
import gc, subprocess, sys
import pytest

@pytest.mark.process
def test_that_fails():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.PIPE)
    with open("pid", "w") as file:
        file.write(str(process.pid))
    raise AssertionError

def test_after_it():
    gc.collect()
"""


@pytest.mark.process
def test_what_a_failed_test_started_ends_with_it(results, tmp_path):
    """A warning about a process that still runs would fail the test that comes after."""
    (tmp_path / "test_these.py").write_text(LEFT_RUNNING)
    assert results("-W", "error") == {"test_that_fails": "FAILED", "test_after_it": "PASSED"}
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
