"""What PyTorch an environment has, without running anything of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.detect.recorded_system import RecordedSystem, said
from torchdoctor.core.system import HostSystem
from torchdoctor.inventory import damaged_packages, installed_versions
from torchdoctor.inventory.installed import read_installed


def test_the_first_copy_on_the_path_is_the_one_that_is_imported(env, tmp_path):
    """Each copy is listed with its build and folder."""
    env.torch("2.9.1+cpu")
    env.put("torch", "2.4.0", site=tmp_path / "old")
    installed = read_installed([tmp_path / "old", env.site])
    assert installed.named("torch").version == "2.4.0"
    assert installed.named("torchvision") is None
    assert installed.to_json()[1] == {
        "name": "torch", "version": "2.9.1+cpu", "build": "cpu", "folder": str(env.site),
    }  # fmt: skip


def test_packages_whose_files_changed_are_counted(env):
    """PyTorch's and their neighbours'; of others nothing is looked at."""
    env.torch("2.9.1+cpu")
    env.put("rich", "14.0")
    for name in ("torch", "rich"):
        (env.site / name / "__init__.py").unlink()
    assert damaged_packages([env.site]) == {"torch": 1}


@pytest.mark.process
def test_an_interpreter_lists_its_own_packages():
    """By normalised name."""
    versions = installed_versions(HostSystem(environ={}), Path(sys.executable))
    assert "pytest" in versions
    assert all(name == name.lower() for name in versions)


def test_an_interpreter_that_cannot_say_has_none():
    """It fails, or prints something else."""
    for answer in (said("", status=1), said("nonsense")):
        assert installed_versions(RecordedSystem(commands={"/p": answer}), Path("/p")) == {}
    listing = said(json.dumps({"Foo.Bar": "1"}))
    assert installed_versions(RecordedSystem(commands={"/p": listing}), Path("/p")) == {"foo-bar": "1"}
