"""Old facts are said to be old where no index was read, and nothing is said where one was."""

from __future__ import annotations

import json
import sys
from datetime import date

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.sources import freshness
from torchdoctor.sources.freshness import old_facts_warning
from wheels_index import LiveSnapshot, Overlay, Wheel, bundled

LATER = date(2027, 5, 1)
OLD = "what torchdoctor knows of PyTorch's builds is of 20"
MACHINE = {
    "os": "linux", "os_version": "24.04", "arch": "x86_64", "libc": {"name": "glibc", "version": "2.39"},
    "wsl": False, "container": None,
    "python": {"implementation": "cpython", "version": "3.12.4", "free_threaded": False, "bits": 64},
    "nvidia": None, "amd": None, "intel": None, "apple": None,
}  # fmt: skip


@pytest.fixture
def later(monkeypatch):
    """A day on which the facts of this version are old."""
    monkeypatch.setattr(freshness, "_today", lambda: LATER)


@pytest.fixture
def machine(tmp_path):
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(MACHINE), "utf-8")
    return path


def updated(day, *, pypi=False):
    """The facts with what an index listed on a day."""
    name = "torch-2.99.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"
    wheel = Wheel.from_filename(name, url=f"https://example.org/{name}")
    return LiveSnapshot(bundled(), Overlay.of([wheel], as_of=day, pypi=pypi))


@pytest.mark.parametrize(
    ("day", "said"),
    [("2027-03-02", False), ("2027-03-01", True), ("2027-06-01", False), ("2027-99-99", False)],
)
def test_facts_are_old_after_sixty_days(monkeypatch, day, said):
    """Counted from the last update; a clock that is behind says nothing."""
    monkeypatch.setattr(freshness, "_today", lambda: LATER)
    assert (old_facts_warning(updated(day), asked=False) is not None) == said


def test_pypi_alone_makes_no_facts_fresh(later):
    """It does not say which builds a release has."""
    assert old_facts_warning(updated("2027-04-30", pypi=True), asked=False).startswith(OLD)


def test_a_plan_from_stored_facts_warns(in_process, later, machine):
    """As text and in the document, with what to do."""
    ran = in_process("resolve", "--machine", machine, "--json")
    (warning,) = (text for text in ran.json["warnings"] if text.startswith(OLD))
    assert warning.endswith("`torchdoctor index update` reads what is new")
    assert OLD in "".join(in_process("resolve", "--machine", machine).out.split("warning")[1:])


def test_a_live_plan_warns_where_the_index_could_not_be_read(in_process, later, machine, index):
    """A folder has the wheel, the index does not answer; once it answers nothing is said."""
    wheel = make_wheel("torch", "2.15.0+cpu", tag="cp312-cp312-manylinux_2_28_x86_64")
    folder = machine.parent / "wheels"
    folder.mkdir()
    (folder / wheel[0]).write_bytes(wheel[1])
    options = ("resolve", "--machine", machine, "--find-links", folder, "--json")
    ran = in_process(*options, "--index-url", "http://127.0.0.1:9/whl")
    assert [text for text in ran.json["warnings"] if "no index of them could be read" in text], (
        ran.out + ran.err
    )
    index.add("/whl/cpu/torch/", *wheel)
    ran = in_process(*options, "--index-url", f"{index.url}/whl")
    assert [text for text in ran.json["warnings"] if text.startswith(OLD)] == []


@pytest.mark.process
def test_doctor_warns(in_process, later):
    """On standard error, beside its findings."""
    assert OLD in in_process("doctor", sys.prefix, "--only", "packages", "--json").err
