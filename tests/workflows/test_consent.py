"""Consent to a change of an environment: asked for once, before anything is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.errors import InstallFailed
from torchdoctor.lock import Lock, LockedWheel
from torchdoctor.workflows.consent import ask_to_change, changes_by

FOLDER = Path("env")
LOCK = Lock(
    wheels=(LockedWheel(name="torch", version="2.0", filename="torch.whl", url="", sha256=None, size=None),)
)


def test_the_changes_are_those_of_the_lock():
    """A package that stays as it is is no change."""
    assert [str(change) for change in changes_by(LOCK, {"torch": "1.0", "numpy": "2.0"})] == [
        "~ torch 1.0 -> 2.0"
    ]
    assert changes_by(LOCK, {"torch": "2.0"}) == ()


def test_the_changes_are_shown_before_the_question():
    """One line for each package."""
    report = Recorder(answer=True)
    ask_to_change(FOLDER, LOCK, {"torch": "1.0"}, report, assume_yes=False)
    assert report.notes == ["~ torch 1.0 -> 2.0"]
    assert report.questions == ["Change 1 package in env?"]


@pytest.mark.parametrize(("answer", "reason"), [(False, "you declined")])
def test_who_declines_has_an_unchanged_environment(answer, reason):
    """An error with a stable code, and the exit status of an install that failed."""
    with pytest.raises(InstallFailed) as refused:
        ask_to_change(FOLDER, LOCK, {"torch": "1.0"}, Recorder(answer=answer), assume_yes=False)
    assert (refused.value.code, refused.value.exit_status) == ("declined", 5)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("installed", "assume_yes"), [({}, False), ({"torch": "2.0"}, False), ({"torch": "1.0"}, True)]
)
def test_no_question_where_nothing_changes_or_yes_was_said(installed, assume_yes):
    """A new environment, one that has it all, and `--yes`."""
    report = Recorder(answer=False)
    ask_to_change(FOLDER, LOCK, installed, report, assume_yes=assume_yes)
    assert report.questions == []
