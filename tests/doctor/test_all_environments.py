"""Environments that can be found by looking, and what is easily confused."""

from __future__ import annotations

from pathlib import Path

import pytest

from torchdoctor.core.system import HostSystem
from torchdoctor.doctor.all_environments import EnvironmentLocation, environments, warnings_for


def make(prefix, torch=None):
    """An environment of files: an interpreter, and torch if it has one."""
    site = prefix / "lib/python3.12/site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").touch(mode=0o755)
    (prefix / "pyvenv.cfg").write_text("version = 3.12.4\n")
    if torch:
        (site / f"torch-{torch}.dist-info").mkdir()
        (site / f"torch-{torch}.dist-info/METADATA").write_text(f"Name: torch\nVersion: {torch}\n")
        (site / "torch").mkdir()
        (site / "torch/version.py").write_text(f"__version__ = '{torch}'\n")
    return prefix


def test_environments_are_found_where_people_keep_them(tmp_path):
    """The active one, those beside the project, conda's list, and the usual folders of the home folder."""
    here, home = tmp_path / "project", tmp_path / "home"
    active, own = make(tmp_path / "active"), make(here / ".venv", "2.9.1+cpu")
    listed, usual = make(tmp_path / "listed"), make(home / ".virtualenvs/a")
    (home / ".conda").mkdir()
    (home / ".conda/environments.txt").write_text(f"{listed}\n/gone\n")
    environ = {"HOME": str(home), "VIRTUAL_ENV": str(active), "JUPYTER_PATH": str(tmp_path / "none")}
    found = {row.prefix: row for row in environments(HostSystem(environ=environ), here=here)}
    assert {active, own, listed, usual} <= set(found)
    assert (found[own].torch, found[own].build, found[own].python_version) == ("2.9.1+cpu", "cpu", "3.12.4")
    assert found[active].is_active
    assert found[active].to_json()["known_by"] == ["active"]
    assert found[listed].known_by == ("conda",)


def location(name, torch=None, **more):
    return EnvironmentLocation(
        prefix=Path(name),
        python=Path(name, "bin/python"),
        python_version="3.12",
        torch=torch,
        build=None,
        **more,
    )


@pytest.mark.parametrize(
    ("rows", "warnings"),
    [
        ((location("/a"), location("/b")), ()),
        ((location("/a", kernels=("kernel k",)), location("/b", "2.9.1")),
         ("kernel k runs /a, which has no torch; /b has torch 2.9.1",)),
        ((location("/a", is_active=True), location("/b", "2.9.1")),
         ("the active environment /a has no torch; /b has torch 2.9.1",)),
        ((location("/a", "2.8.0", is_active=True), location("/b", "2.9.1")), ()),
    ],
)  # fmt: skip
def test_an_environment_without_torch_that_is_used_is_told(rows, warnings):
    """Only where another one has torch."""
    assert warnings_for(rows) == warnings
