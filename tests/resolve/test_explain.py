"""When nothing fits, the error names the constraints in conflict and what to change them to."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.resolve.machines import RTX_4090, linux
from torchdoctor.resolve import Request
from torchdoctor.resolve.explain import explain
from torchdoctor.resolve.model import Refusal
from torchdoctor.resolve.relaxations import _version_ranges, relaxations
from wheels_index import bundled


def constraints(machine, **request):
    return [found.constraint for found in relaxations(machine, Request(**request), bundled())]


def test_each_constraint_that_is_enough_to_relax_is_found():
    """An old release on a new Python: either can give way."""
    assert constraints(linux(python="3.13.1"), torch=SpecifierSet("==2.1.0")) == ["python", "torch"]


def test_a_variant_can_give_way():
    """torch 2.15 has no cu118 build."""
    machine = linux(RTX_4090, driver="580.65.06")
    assert constraints(machine, torch=SpecifierSet("==2.15.0"), variant="cu118") == ["torch", "variant"]


def test_an_old_c_library_can_give_way():
    """glibc 2.12 runs no build at all."""
    assert constraints(linux(glibc="2.12")) == ["glibc"]


def test_the_first_refusal_about_a_constraint_is_told():
    """By its code: the words of the refusal do not matter, and one about something else is passed over."""
    refusals = [
        Refusal(code="companion-version", project="torchaudio", message="about torchaudio"),
        Refusal(code="python-version", message="first"),
        Refusal(code="python-version", message="second"),
    ]
    error = explain(linux(python="3.7.9"), Request(), bundled(), refusals)
    assert error.message == "no torch build meets Python 3.7: first"


def test_a_refusal_about_nothing_in_the_way_is_not_told():
    """It would lead astray."""
    refusals = [Refusal(code="companion-version", project="torchaudio", message="about torchaudio")]
    error = explain(linux(python="3.7.9"), Request(), bundled(), refusals)
    assert error.message == "no torch build meets Python 3.7"


def test_a_release_that_does_not_exist_has_the_nearest_named():
    """Below and above it."""
    error = explain(linux(), Request(torch=SpecifierSet("==2.8.7")), bundled(), [])
    assert error.code == "no-such-release"
    assert "2.9.0" in error.fix
    assert "2.8.0" in error.fix


def test_versions_are_written_as_ranges_without_gaps():
    """A gap begins a new range."""
    known = [Version(f"2.{minor}") for minor in range(9, 0, -1)]
    fitting = {Version("2.1"), Version("2.2"), Version("2.3"), Version("2.6")}
    assert _version_ranges(fitting, known) == "2.1 to 2.3 or 2.6"
