"""The files of an environment are made by uv, and an old environment is copied with hard links."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from torchdoctor.errors import InstallFailed
from torchdoctor.fetch import FetchedWheel
from torchdoctor.install.build import (
    copy_environment,
    create_empty_environment,
    install_wheels,
)
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.wheel_layout import glob_site_packages
from torchdoctor.lock import LockedWheel

pytestmark = pytest.mark.process


@pytest.fixture
def stage(tmp_path):
    folder = tmp_path / "stage"
    folder.mkdir()
    create_empty_environment(folder, prompt="env", python=Path(sys.executable), environ=os.environ)
    return folder


@pytest.fixture
def wheel(tmp_path):
    """A wheel with a command."""
    entry_points = {
        "package-1.0.dist-info/entry_points.txt": "[console_scripts]\nrun = package.version:__version__.isspace\n"
    }
    filename, content = make_wheel("package", "1.0", tag="py3-none-any", modules=entry_points)
    (tmp_path / filename).write_bytes(content)
    locked = LockedWheel(
        name="package", version="1.0", filename=filename, url="", sha256=None, size=len(content)
    )
    return FetchedWheel(
        wheel=locked, path=tmp_path / filename, sha256=hashlib.sha256(content).hexdigest(),
        size=len(content), source="", first_seen=True,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="commands are programs there")
def test_an_environment_works_after_it_was_renamed(stage, wheel, tmp_path):
    """Its commands find their interpreter in their own folder, and its settings are as uv wrote them."""
    settings = (stage / "pyvenv.cfg").read_text()
    install_wheels(stage, [wheel], tmp_path, os.environ, cache=tmp_path / "uv", largest=1 << 20)
    assert (stage / "pyvenv.cfg").read_text() == settings
    stage.rename(tmp_path / "env")
    subprocess.run([tmp_path / "env" / "bin" / "run"], check=True)


def test_a_prompt_that_a_shell_would_run_is_made_harmless(tmp_path):
    """uv writes it into activate as it is."""
    folder = tmp_path / "stage"
    folder.mkdir()
    create_empty_environment(folder, prompt="$(rm x)`", python=Path(sys.executable), environ=os.environ)
    assert "$(rm" not in "".join(path.read_text() for path in interpreter_of(folder).parent.glob("activate*"))


def test_a_python_that_does_not_exist_is_an_error(tmp_path):
    """It says what to do."""
    with pytest.raises(InstallFailed) as caught:
        create_empty_environment(tmp_path, prompt="env", python=tmp_path / "nowhere", environ=os.environ)
    assert "--python" in caught.value.fix


def test_a_copy_shares_files_but_not_its_settings(stage, wheel, tmp_path):
    """Changing the copy's pyvenv.cfg must not change the old one's."""
    install_wheels(stage, [wheel], tmp_path, os.environ, cache=tmp_path / "uv", largest=1 << 20)
    copy = tmp_path / "copy"
    copy_environment(stage, copy)
    module = glob_site_packages(stage)[0] / "package" / "version.py"
    assert (copy / module.relative_to(stage)).samefile(module)
    assert not (copy / "pyvenv.cfg").samefile(stage / "pyvenv.cfg")
