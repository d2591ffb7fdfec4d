"""Repairs: each is asked for, and how it ended is a value."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.core.fs.user_folders import UserFolders
from torchdoctor.doctor.repairs import RemoveLeftovers
from torchdoctor.workflows import RepairOptions, SourceOptions
from torchdoctor.workflows.repair import plan_repairs_here, run_repairs


@pytest.fixture
def repaired(tmp_path):
    """A function that removes a leftover folder, and returns how that ended and whether the folder is left."""
    folder = tmp_path / "~orch"
    folder.mkdir()
    repair = RemoveLeftovers(findings=("partial-install",), leftovers=(folder,))

    def run(report, **options):
        python = SimpleNamespace(prefix=tmp_path, executable=tmp_path / "python")
        chosen = RepairOptions(sources=SourceOptions(), **options)
        folders = UserFolders(cache=Path("cache"), data=Path("data"), current=Path())
        planned = plan_repairs_here([repair], python, chosen, system=None, folders=folders, report=report)
        [outcome] = run_repairs(planned, python, chosen, system=None, folders=folders, report=report)
        return outcome, folder.exists()

    return run


def test_a_repair_that_is_agreed_to_is_made(repaired):
    """And reported."""
    report = Recorder(answer=True)
    outcome, left = repaired(report)
    assert (outcome.outcome, left) == ("repaired", False)
    assert report.questions == ["Do it?"]


def test_metadata_of_what_is_installed_by_then_stays(tmp_path):
    """The folders were chosen before the reinstallation, which may have brought that version."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/version.py").write_text("__version__ = '2.8.0+cu126'\n")
    folders = tuple(
        tmp_path / name
        for name in ("torch-2.8.0.dist-info", "torch-2.9.1.dist-info", "~orch-2.8.0.dist-info")
    )
    for folder in folders:
        folder.mkdir()
    repair = RemoveLeftovers(findings=("partial-install",), leftovers=folders)
    python = SimpleNamespace(prefix=tmp_path, executable=tmp_path / "python")
    options = RepairOptions(sources=SourceOptions(), assume_yes=True)
    places = UserFolders(cache=Path("cache"), data=Path("data"), current=Path())
    report = Recorder(answer=True)
    planned = plan_repairs_here([repair], python, options, system=None, folders=places, report=report)
    run_repairs(planned, python, options, system=None, folders=places, report=report)
    assert [folder.exists() for folder in folders] == [True, False, False]


def test_yes_asks_nobody(repaired):
    """The answer was given beforehand."""
    report = Recorder(answer=False)
    assert (repaired(report, assume_yes=True)[0].outcome, report.questions) == ("repaired", [])


@pytest.mark.parametrize(("answer", "options"), [(False, {}), (None, {}), (True, {"dry_run": True})])
def test_without_consent_nothing_is_changed(repaired, answer, options):
    """Declined, nobody to ask, or only shown."""
    outcome, left = repaired(Recorder(answer=answer), **options)
    assert (outcome.outcome, left) == ("skipped", True)
