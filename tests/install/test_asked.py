"""What is asked for by files and projects is installed, held to its hashes, and recorded."""

from __future__ import annotations

import hashlib

import pytest

from tests.install.conftest import TORCH
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel
from torchdoctor.install.record import asked_in

pytestmark = pytest.mark.process


@pytest.fixture
def small(official, bare):
    """torch alone, from an index that also has a package that needs another one."""
    for name, requires in (("first", ("second>=1",)), ("second", ())):
        official.add(f"/simple/{name}/", *make_wheel(name, "1.0", tag="py3-none-any", requires=requires))
    options = [option for option in bare if option not in ("--torch", TORCH)]
    return (*options, "--without", "numpy", "--without", "torchvision")


def test_a_file_of_requirements_is_installed_and_recorded(torchdoctor, small, tmp_path):
    """Everything that the file names for this machine is there, and the record says what asked for it."""
    (tmp_path / "work" / "requirements.txt").write_text(
        f"--extra-index-url https://download.pytorch.org/whl/cu121\n"
        f"torch=={TORCH}+cu121\nfirst\nabsent ; sys_platform == 'nowhere'\n"
    )
    ran = torchdoctor("install", "env", "-r", "requirements.txt", *small)
    assert ran.status == 0, ran.err
    folder = tmp_path / "work" / "env"
    assert versions(folder) == {"torch": f"{TORCH}+cpu", "first": "1.0", "second": "1.0"}
    assert [(each.line, each.origin) for each in asked_in(folder)] == [
        (f"torch=={TORCH}+cu121", "requirements.txt:2"),
        ("first", "requirements.txt:3"),
    ]
    assert "whl/cu121 is replaced by the PyTorch index" in ran.err


@pytest.mark.parametrize("right", [True, False])
def test_hashes_of_a_file_are_checked(torchdoctor, small, official, tmp_path, right):
    """A file with another hash than those of the requirements file is not installed, and nothing is changed."""
    digest = hashlib.sha256(official.files["/simple/second-1.0-py3-none-any.whl"]).hexdigest()
    digest = digest if right else digest[::-1]
    (tmp_path / "work" / "requirements.txt").write_text(f"second==1.0 \\\n  --hash=sha256:{digest}\n")
    ran = torchdoctor("install", "env", "-r", "requirements.txt", *small, "--json")
    if right:
        assert ran.status == 0, ran.err
        return
    assert (ran.status, ran.json["error"]["kind"]) == (4, "hash-mismatch")
    assert not (tmp_path / "work" / "env").exists()


def test_the_lock_of_a_project_is_kept_to(torchdoctor, small, official, tag, tmp_path):
    """uv.lock keeps torch at its release and other packages at their versions, though newer ones are there."""
    official.add("/whl/cpu/torch/", *make_wheel("torch", "2.14.0+cpu", tag=tag))
    official.add("/simple/first/", *make_wheel("first", "2.0", tag="py3-none-any", requires=("second",)))
    official.add("/simple/second/", *make_wheel("second", "2.0", tag="py3-none-any"))
    project = tmp_path / "work" / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["torch", "first"]\n')
    rows = [
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "https://pypi.org/simple" }}\n'
        for name, version in (("torch", TORCH), ("first", "1.0"), ("second", "1.0"))
    ]
    (project / "uv.lock").write_text("\n".join(rows))
    ran = torchdoctor("install", "env", "--project", "project", *small)
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "work" / "env") == {"torch": f"{TORCH}+cpu", "first": "1.0", "second": "1.0"}


def test_a_wheel_of_another_machine_is_refused(torchdoctor, small):
    """A URL to a wheel that cannot be installed here ends before anything is fetched."""
    link = "first @ https://example.org/first-1.0-cp38-cp38-win32.whl"
    ran = torchdoctor("install", "env", "--with", link, *small, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (3, "wheel-of-other-machine")
