"""torchdoctor from Python: the same stages, typed, and nothing printed."""

from __future__ import annotations

import doctest
import io
import subprocess
import sys
import venv
import zipfile
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import torchdoctor
from tests.install.conftest import native_tag
from tests.wheelmaker import make_wheel

TYPED = """
from pathlib import Path
from typing import assert_type

import torchdoctor
from torchdoctor import api

machine = torchdoctor.Machine.from_json({})
assert_type(api.resolve(machine), torchdoctor.Plan)
assert_type(api.detect().machine, torchdoctor.Machine)
assert_type(api.verify(".venv", quick=True).passed, bool)
assert_type(api.diagnose("text").findings, tuple[torchdoctor.Finding, ...])
options = torchdoctor.InstallOptions(folder=Path(".venv"), cache=Path("cache"))
assert_type(api.install(options), torchdoctor.InstallResult)
api.resolve("a machine")  # type: ignore[arg-type]
"""


def test_the_example_in_the_package_holds():
    """What `help(torchdoctor)` shows is what happens."""
    assert doctest.testmod(torchdoctor).failed == 0


def test_every_name_is_there_and_no_other():
    """`from torchdoctor import *` works, and a mistake is an AttributeError."""
    for name in torchdoctor.__all__:
        assert getattr(torchdoctor, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        torchdoctor.nothing  # noqa: B018


@pytest.mark.process
def test_importing_the_package_costs_nothing():
    """No stage is imported before it is asked for."""
    code = "import sys, torchdoctor; print(sorted(name for name in sys.modules if name.startswith('torchdoctor.')))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "['torchdoctor._version', 'torchdoctor.core', 'torchdoctor.core.lazy']\n"
    )


@pytest.mark.process
def test_a_type_checker_understands_it(tmp_path):
    """mypy, strictly, over a program that uses every stage; the one wrong call is the one it finds."""
    program = tmp_path / "program.py"
    program.write_text(
        TYPED.replace("from typing import assert_type", "from typing_extensions import assert_type")
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", program],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.process
def test_this_machine_is_detected_and_a_build_chosen_for_it():
    """The first two stages, one after the other."""
    plan = torchdoctor.api.resolve(torchdoctor.api.detect().machine)
    assert plan.torch.name == "torch"


def test_a_pasted_error_is_diagnosed():
    """Text in, findings out."""
    found = torchdoctor.api.diagnose(
        "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
    )
    assert [row.id for row in found.findings] == ["driver-too-old"]


def test_an_environment_is_checked_up_and_verified(real, capsys):
    """On the real torch: no finding, every check well, and nothing printed."""
    seen, diagnosis = torchdoctor.api.checkup(real.folder)
    assert (seen.healthy_import, diagnosis.findings) == (True, ())
    assert torchdoctor.api.verify(real.folder, quick=True).passed
    assert capsys.readouterr() == ("", "")


def test_the_stages_are_documented():
    """Each public function says what it does."""
    api = import_module("torchdoctor.api")
    assert all(getattr(api, name).__doc__ for name in api.__all__)


@pytest.mark.process
def test_an_environment_is_not_changed_without_consent(tmp_path):
    """Nobody was asked, so `install` refuses, and every file of the environment is as it was."""
    folder = tmp_path / "env"
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python3*/site-packages"))
    zipfile.ZipFile(io.BytesIO(make_wheel("demo", "1.0", tag="py3-none-any")[1])).extractall(site)
    name, content = make_wheel("torch", "2.13.0+cpu", tag=native_tag())
    (tmp_path / name).write_bytes(content)
    before = _contents(folder)
    options = torchdoctor.InstallOptions(
        folder=folder,
        cache=tmp_path / "cache",
        request=torchdoctor.Request(variant="cpu", excluded=frozenset({"torchvision", "torchaudio"})),
        sources=torchdoctor.SourceOptions(find_links=(str(tmp_path),), trust_mirror=True, offline=True),
        verify=False,
    )
    with pytest.raises(torchdoctor.InstallFailed) as refused:
        torchdoctor.api.install(options)
    assert (refused.value.code, refused.value.exit_status) == ("declined", 5)
    assert _contents(folder) == before
    assert torchdoctor.api.install(replace(options, assume_yes=True)).environment is not None


def _contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def test_a_checkup_of_a_user_without_a_home_says_what_to_set(monkeypatch):
    """As the command does: no RuntimeError of pathlib."""
    monkeypatch.delenv("TORCHDOCTOR_CACHE_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: Path("~nobody-of-that-name/cache"))
    with pytest.raises(torchdoctor.EnvironmentUnusable) as refused:
        torchdoctor.api.checkup(sys.prefix)
    assert refused.value.code == "no-home"
