"""A virtual environment whose base Python is gone runs another one of its version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.inventory.site import Environment
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install.base_python import lost_python, plan_base_change
from torchdoctor.install.relocate import apply_relocation


@pytest.fixture
def lost(tmp_path):
    """An environment whose Python 3.11 was removed."""
    folder = tmp_path / "env"
    (folder / "lib/python3.11").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to("python3")
    (folder / "bin/python3").symlink_to("/opt/gone/bin/python3.11")
    (folder / "pyvenv.cfg").write_text("home = /opt/gone/bin\nversion = 3.11.4\nprompt = mine\n")
    return folder


@pytest.fixture
def base(tmp_path):
    """Another Python 3.11."""
    executable = tmp_path / "python3.11"
    executable.write_text("")
    python = Environment(tmp_path / "site").python
    return replace(
        python, executable=executable, version="3.11.7", base_prefix=Path("/opt/new"), free_threaded=False
    )


def test_the_version_is_told_by_the_folder_of_packages(lost):
    """And which file is missing."""
    found = lost_python(lost)
    assert (found.version, found.interpreter) == ("3.11", "/opt/gone/bin/python3.11")


def test_an_environment_that_has_its_python_lacks_none(lost, tmp_path):
    """Nothing is changed there."""
    (tmp_path / "there").write_text("")
    (lost / "bin/python3").unlink()
    (lost / "bin/python3").symlink_to(tmp_path / "there")
    assert lost_python(lost) is None


def test_the_links_and_the_settings_lead_to_the_other_python(lost, base):
    """Links among themselves and other settings stay."""
    apply_relocation(plan_base_change(lost_python(lost), base))
    assert str((lost / "bin/python3").readlink()) == str(base.executable)
    assert str((lost / "bin/python").readlink()) == "python3"
    text = (lost / "pyvenv.cfg").read_text()
    assert text == f"home = {base.executable.parent}\nversion = 3.11.7\nprompt = mine\n"


@pytest.mark.parametrize(
    "change", [{"version": "3.12.1"}, {"free_threaded": True}, {"implementation": "pypy"}]
)
def test_a_python_of_another_kind_is_refused(lost, base, change):
    """The packages with compiled parts are not for it."""
    with pytest.raises(EnvironmentUnusable, match=r"are for Python 3\.11"):
        plan_base_change(lost_python(lost), replace(base, **change))
