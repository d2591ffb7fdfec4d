"""Projects whose requirements only their code tells."""

from __future__ import annotations

import os

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.core.system import host_system
from torchdoctor.detect import find_python
from torchdoctor.errors import UsageError
from torchdoctor.sources import Sources
from torchdoctor.workflows.project_metadata import build_project_metadata

BACKEND = """
import io, os, tarfile

def build_sdist(folder, config_settings=None):
    text = open("wanted.txt").read()
    content = ("Metadata-Version: 2.1\\nName: x\\nVersion: 1\\n" + text).encode()
    with tarfile.open(os.path.join(folder, "x-1.tar.gz"), "w:gz") as archive:
        member = tarfile.TarInfo("x-1/PKG-INFO")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return "x-1.tar.gz"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
NOWHERE = Sources(torch=(), indexes=(), default_index=None, find_links=())

pytestmark = pytest.mark.process


def built(folder):
    system = host_system(os.environ)
    return build_project_metadata(
        folder,
        python=find_python(system, None),
        sources=NOWHERE,
        offline=True,
        cache=folder / "cache",
        system=system,
        report=Recorder(),
    )


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (tmp_path / "backend.py").write_text(BACKEND, "utf-8")
    return tmp_path


def test_the_metadata_is_what_the_backend_writes(project):
    """uv runs the backend of the project, and its PKG-INFO is returned."""
    (project / "wanted.txt").write_text("Requires-Dist: timm\n", "utf-8")
    assert "Requires-Dist: timm" in built(project)


def test_code_that_fails_is_an_error_with_its_own_last_line(project):
    """A project whose code raises is an error that says what it raised."""
    with pytest.raises(UsageError, match=r"FileNotFoundError: .*wanted\.txt") as caught:
        built(project)
    assert caught.value.code == "project-build"
