"""What a wheel itself requires is compared with what was locked for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wheelmaker import make_wheel
from torchdoctor.lock.undeclared import undeclared_requirements

LINUX = {"sys_platform": "linux", "python_version": "3.12", "python_full_version": "3.12.4"}


@pytest.fixture
def missing(tmp_path):
    """A function that says what a wheel with these requirements lacks, beside these versions."""

    def missing(*requires, versions=None, free=()):
        filename, content = make_wheel("asked", "1.0", requires=requires)
        (tmp_path / filename).write_bytes(content)
        found = undeclared_requirements([("asked", tmp_path / filename)], versions or {}, LINUX, free)
        return found.get("asked", ())

    return missing


def test_what_is_locked_in_a_version_that_fits_is_not_missing(missing):
    """A local version counts as its release."""
    assert missing("torch==2.9.1", "numpy>=2", versions={"torch": "2.9.1+cu128", "numpy": "2.4.0"}) == ()


def test_what_is_not_locked_or_in_another_version_is_missing(missing):
    """Each line once, without its marker."""
    assert missing("needed>=2; sys_platform == 'linux'", "numpy<2", versions={"numpy": "2.4.0"}) == (
        "needed>=2",
        "numpy<2",
    )


@pytest.mark.parametrize("line", ["win; sys_platform == 'win32'", "more; extra == 'dev'", "triton"])
def test_other_machines_extras_and_overridden_projects_ask_for_nothing(missing, line):
    """As the solver has it."""
    assert missing(line, free={"triton"}) == ()


@given(st.binary(max_size=200))
def test_what_is_no_wheel_requires_nothing(tmp_path_factory, data):
    """Another check refuses it."""
    path = tmp_path_factory.mktemp("wheel") / "asked-1.0-py3-none-any.whl"
    path.write_bytes(data)
    assert undeclared_requirements([("asked", path)], {}, LINUX) == {}
