"""What is optional and cannot be had is left out, and indexes that do not answer are done without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torchdoctor.core.i18n import Message
from torchdoctor.core.progress import SilentReporter
from torchdoctor.errors import NoSolution, SourceFailed
from torchdoctor.lock import compile as compile_module
from torchdoctor.lock.compile import RequirementsUnmet
from torchdoctor.lock.fallbacks import lock_with_fallbacks
from torchdoctor.resolve import Plan
from torchdoctor.sources import Source

pytestmark = pytest.mark.process

NOTHING = Plan(variant="cpu", index_url="", packages=(), reasons=())


class Recorder(SilentReporter):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def lock(tmp_path):
    """Lock a request; the names of what is in the lock, and what was told."""

    def run(request):
        report = Recorder()
        locked = lock_with_fallbacks(NOTHING, request, folder=tmp_path / "lock", report=report)
        return [wheel.name for wheel in locked.wheels], report

    return run


def test_an_optional_package_that_no_index_has_is_left_out(local_index, request_for, lock):
    """It is named; the rest is locked."""
    local_index.add("needed", "1.0")
    names, report = lock(request_for(extras=("needed",), optional=("pip", "numpy")))
    assert names == ["needed"]
    assert {text.split()[0] for text in report.warnings} == {"numpy", "pip"}
    assert all(text.endswith("no reachable source has it for this Python") for text in report.warnings)


def test_an_optional_package_that_can_be_had_stays(local_index, request_for, lock):
    """Nothing is said of it."""
    local_index.add("needed", "1.0")
    local_index.add("numpy", "2.0")
    names, report = lock(request_for(extras=("needed",), optional=("numpy",)))
    assert names == ["needed", "numpy"]
    assert report.warnings == []


def test_a_required_package_that_no_index_has_is_an_error(local_index, request_for, lock):
    """The optional one is not blamed for it."""
    local_index.add("numpy", "2.0")
    with pytest.raises(RequirementsUnmet) as caught:
        lock(request_for(extras=("absent",), optional=("numpy",)))
    assert caught.value.code == "no-lock"
    assert caught.value.error.names("absent")


def test_other_words_of_the_error_change_nothing(local_index, request_for, lock, monkeypatch):
    """What is left out follows from uv's code and names, not from the text of the error."""
    local_index.add("needed", "1.0")

    def reworded(_template, /, **_values):
        return Message("etwas anderes", {})

    monkeypatch.setattr(compile_module, "message", reworded)
    names, report = lock(request_for(extras=("needed",), optional=("numpy",)))
    assert names == ["needed"]
    assert len(report.warnings) == 1


def test_words_that_nobody_knows_leave_nothing_out(local_index, request_for, lock, monkeypatch):
    """A text without a code is an error as it stands."""
    local_index.add("needed", "1.0")
    monkeypatch.setattr("torchdoctor.lock.uv_errors._table", lambda: ())
    with pytest.raises(NoSolution) as caught:
        lock(request_for(extras=("needed",), optional=("numpy",)))
    assert not isinstance(caught.value, RequirementsUnmet)


def test_an_index_that_does_not_answer_is_done_without(local_index, request_for, lock):
    """It is named, and the others serve."""
    local_index.add("needed", "1.0")
    request = request_for(extras=("needed",))
    dead = Source(name="dead", url="http://127.0.0.1:9/simple", layout="simple", origin="a test")
    names, report = lock(replace(request, sources=replace(request.sources, indexes=(dead,))))
    assert names == ["needed"]
    assert len(report.notes) == 1
    assert "127.0.0.1" in report.notes[0]


def test_offline_no_index_is_asked_whether_it_answers(request_for, lock):
    """The first error stands."""
    request = request_for(extras=("needed",), environ={"UV_HTTP_TIMEOUT": "soon", "PATH": "/usr/bin"})
    with pytest.raises(Exception, match="soon") as caught:
        lock(replace(request, offline=True))
    assert not isinstance(caught.value, SourceFailed)
