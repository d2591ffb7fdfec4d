"""Which environment is meant where none is named."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from torchdoctor.cli.locations import environment_python
from torchdoctor.core.fs.user_folders import user_directory
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.location import interpreter_of


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with a .venv in it, and no environment active."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    python = interpreter_of(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.touch()
    return python


def test_an_active_environment_is_the_one_meant(here, tmp_path, monkeypatch):
    """Before the .venv that lies here."""
    active = interpreter_of(tmp_path / "active")
    active.parent.mkdir(parents=True)
    active.touch()
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert environment_python(None) == active


def test_one_that_only_runs_torchdoctor_gives_way(here, monkeypatch):
    """Who made a place for torchdoctor and ran `install` there means what was installed."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert environment_python(None) == here


def test_one_that_runs_torchdoctor_and_has_torch_does_not(here, monkeypatch):
    """It was installed beside torch on purpose."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    assert environment_python(None) == interpreter_of(Path(sys.prefix))


def test_without_a_venv_here_it_is_looked_at(here, monkeypatch):
    """There is nothing else that could be meant."""
    here.unlink()
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert environment_python(None) == interpreter_of(Path(sys.prefix))


def test_a_user_without_a_home_is_told_what_to_set():
    """A number that a container's list of users does not have, and no HOME."""

    def homeless(*_, **__):
        raise RuntimeError

    with pytest.raises(EnvironmentUnusable) as raised:
        user_directory(homeless, "TORCHDOCTOR_CACHE_DIR")
    assert raised.value.code == "no-home"
    assert "TORCHDOCTOR_CACHE_DIR" in raised.value.fix
