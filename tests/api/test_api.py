"""torchdoctor from Python: the same stages, typed, and nothing printed."""

from __future__ import annotations

import doctest
import subprocess
import sys
from importlib import import_module

import pytest

import torchdoctor

TYPED = """
from pathlib import Path
from typing import assert_type

import torchdoctor
from torchdoctor import api

machine = torchdoctor.Machine.from_json({})
assert_type(api.resolve(machine), torchdoctor.Plan)
assert_type(api.detect().machine, torchdoctor.Machine)
assert_type(api.verify(".venv", quick=True).passed, bool)
assert_type(api.diagnose("text").findings, tuple[torchdoctor.Finding, ...])
options = torchdoctor.InstallOptions(folder=Path(".venv"), cache=Path("cache"))
assert_type(api.install(options), torchdoctor.InstallResult)
api.resolve("a machine")  # type: ignore[arg-type]
"""


def test_the_example_in_the_package_holds():
    """What `help(torchdoctor)` shows is what happens."""
    assert doctest.testmod(torchdoctor).failed == 0


def test_every_name_is_there_and_no_other():
    """`from torchdoctor import *` works, and a mistake is an AttributeError."""
    for name in torchdoctor.__all__:
        assert getattr(torchdoctor, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        torchdoctor.nothing  # noqa: B018


@pytest.mark.process
def test_importing_the_package_costs_nothing():
    """No stage is imported before it is asked for."""
    code = "import sys, torchdoctor; print(sorted(name for name in sys.modules if name.startswith('torchdoctor.')))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "['torchdoctor._version', 'torchdoctor.core', 'torchdoctor.core.lazy']\n"
    )


@pytest.mark.process
def test_a_type_checker_understands_it(tmp_path):
    """mypy, strictly, over a program that uses every stage; the one wrong call is the one it finds."""
    program = tmp_path / "program.py"
    program.write_text(
        TYPED.replace("from typing import assert_type", "from typing_extensions import assert_type")
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", program],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.process
def test_this_machine_is_detected_and_a_build_chosen_for_it():
    """The first two stages, one after the other."""
    plan = torchdoctor.api.resolve(torchdoctor.api.detect().machine)
    assert plan.torch.name == "torch"


def test_a_pasted_error_is_diagnosed():
    """Text in, findings out."""
    found = torchdoctor.api.diagnose(
        "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
    )
    assert [row.id for row in found.findings] == ["driver-too-old"]


def test_an_environment_is_checked_up_and_verified(real, capsys):
    """On the real torch: no finding, every check well, and nothing printed."""
    seen, diagnosis = torchdoctor.api.checkup(real.folder)
    assert (seen.healthy_import, diagnosis.findings) == (True, ())
    assert torchdoctor.api.verify(real.folder, quick=True).passed
    assert capsys.readouterr() == ("", "")


def test_the_stages_are_documented():
    """Each public function says what it does."""
    api = import_module("torchdoctor.api")
    assert all(getattr(api, name).__doc__ for name in api.__all__)
