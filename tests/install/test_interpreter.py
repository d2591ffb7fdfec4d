"""The Python of an environment, or the one that a new environment is made with."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.install import interpreter
from torchdoctor.install.interpreter import interpreter_for

pytestmark = pytest.mark.process


@pytest.fixture
def system():
    return host_system(os.environ)


@pytest.fixture
def this_python(system):
    return describe_python(system, sys.executable)


def test_a_new_environment_gets_the_python_asked_for(system, tmp_path, this_python):
    """There is none there to ask."""
    assert interpreter_for(tmp_path, "new", sys.executable, system).version == this_python.version


def test_an_environment_has_its_own_python(system, this_python):
    """The tests run in a virtual environment."""
    found = interpreter_for(Path(sys.prefix), "venv", None, system)
    assert found.prefix.samefile(this_python.prefix)


def test_another_version_than_the_environment_has_is_refused(system, this_python, monkeypatch):
    """An environment keeps the Python that it was made with."""
    other = replace(this_python, version="3.99.0")
    monkeypatch.setattr(interpreter, "find_python", lambda *_: other)
    with pytest.raises(UsageError, match=r"3\.99\.0"):
        interpreter_for(Path(sys.prefix), "venv", "3.99", system)


@pytest.mark.parametrize("changed", ["prefix", "site_packages"])
def test_a_python_whose_packages_lie_elsewhere_is_refused(
    system, this_python, monkeypatch, tmp_path, changed
):
    """Before anything is fetched: an install would change another environment."""
    elsewhere = {"prefix": tmp_path, "site_packages": (tmp_path / "site-packages",)}[changed]
    monkeypatch.setattr(
        interpreter, "describe_python", lambda *_: replace(this_python, **{changed: elsewhere})
    )
    with pytest.raises(EnvironmentUnusable) as caught:
        interpreter_for(Path(sys.prefix), "venv", None, system)
    assert caught.value.code == "not-its-own-python"
