"""`torchdoctor install` without ENV: .venv, or the active environment where somebody at a terminal wants it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.cli.install import _default_environment
from torchdoctor.core.fs.user_folders import full_path


@pytest.fixture
def active(tmp_path, monkeypatch):
    """An active environment of the user's, seen from another folder."""
    folder = tmp_path / "env"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(folder))
    return full_path(folder)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_terminal_is_asked_which_environment(active, wanted):
    """The active one is what pip would change; a new one harms nothing."""
    report = Recorder(answer=wanted)
    assert _default_environment(report) == (active if wanted else Path(".venv"))
    assert report.questions == [f"Install into the active environment {active}? Else into .venv."]


def test_a_script_gets_what_the_help_says_and_is_told(active):
    """Nobody answers there: .venv, and how to name the other one."""
    report = Recorder()
    assert _default_environment(report) == Path(".venv")
    assert any(str(active) in note for note in report.notes)


@pytest.mark.parametrize(
    "change",
    [
        {"VIRTUAL_ENV": sys.prefix},
        {"VIRTUAL_ENV": None},
        {"VIRTUAL_ENV": "/nowhere"},
        {"VIRTUAL_ENV": None, "CONDA_PREFIX": "env", "CONDA_DEFAULT_ENV": "base"},
    ],
)
def test_nobody_is_asked_about_an_environment_that_should_stay(active, monkeypatch, change):
    """torchdoctor's own, conda's base, and one that is gone."""
    for name, value in change.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, str(active) if value == "env" else value)
    report = Recorder(answer=True)
    assert _default_environment(report) == Path(".venv")
    assert (report.questions, report.notes) == ([], [])
