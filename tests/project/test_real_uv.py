"""A project that `torchdoctor project` wrote is synced by the real uv, for each of its families."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import uv

from tests.conftest import settings_of_nobody
from tests.loopback import LoopbackIndex
from tests.project.made import PLAIN
from tests.wheelmaker import make_wheel

pytestmark = pytest.mark.process
HERE = f"cp{sys.version_info[0]}{sys.version_info[1]}"
LINUX = f"{HERE}-{HERE}-manylinux_2_17_x86_64"
MAC = f"{HERE}-none-macosx_14_0_arm64"


@pytest.fixture(scope="module")
def served():
    """PyTorch's index for the CPU and cu126, and a PyPI with a newer torch and everything else."""
    with LoopbackIndex() as index:

        def add(page, name, version, requires=(), tag=LINUX):
            index.add(page, *make_wheel(name, version, tag=tag, requires=requires))

        for build in ("cpu", "cu126"):
            for torch, vision in (("2.13.0", "0.28.0"), ("2.14.1", "0.29.1"), ("2.15.0", "0.30.0")):
                if (build, torch) != ("cu126", "2.15.0"):
                    add(f"/whl/{build}/torch/", "torch", f"{torch}+{build}", ("numpy",))
                    add(
                        f"/whl/{build}/torchvision/", "torchvision", f"{vision}+{build}", (f"torch=={torch}",)
                    )
            add(f"/whl/{build}/numpy/", "numpy", "1.0", tag="py3-none-any")
        add("/whl/cpu/torch/", "torch", "2.14.1", ("numpy",), tag=MAC)
        add("/simple/torch/", "torch", "2.15.0", ("numpy",))
        add("/simple/torchvision/", "torchvision", "0.30.0", ("torch==2.15.0",))
        add("/simple/numpy/", "numpy", "2.3", tag="py3-none-any")
        add("/simple/timm/", "timm", "1.0", ("torch", "torchvision", "numpy"), tag="py3-none-any")
        yield index


@pytest.fixture
def project(served, tmp_path):
    """A project with its families, and a function that runs a program there."""
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PLAIN, "utf-8")
    environ = {**os.environ, **settings_of_nobody(tmp_path, served.url)}
    environ |= {"UV_DEFAULT_INDEX": f"{served.url}/simple", "UV_PYTHON": sys.executable}
    environ.pop("VIRTUAL_ENV", None)

    def run(*words):
        done = subprocess.run(
            [str(word) for word in words], env=environ, cwd=folder, capture_output=True, text=True, check=False,
            timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(
        sys.executable, "-m", "torchdoctor", "project", ".", "--variant", "cpu", "--variant", "cu126", "--with",
        "torchvision", "--index-url", f"{served.url}/whl", "--yes",
    )  # fmt: skip
    return run


def installed(run):
    """What the environment of the project holds."""
    rows = json.loads(run(uv.find_uv_bin(), "pip", "list", "-q", "--format", "json", "--python", ".venv"))
    return {row["name"]: row["version"] for row in rows}


def test_uv_syncs_each_family_and_keeps_everything_else_from_pypi(project):
    """One lock for both; the newest release that both families have, and numpy from PyPI."""
    project(uv.find_uv_bin(), "sync", "-q", "--extra", "cpu")
    assert installed(project) == {
        "torch": "2.14.1+cpu",
        "torchvision": "0.29.1+cpu",
        "timm": "1.0",
        "numpy": "2.3",
    }
    project(uv.find_uv_bin(), "sync", "-q", "--locked", "--extra", "cu126")
    assert installed(project) == {
        "torch": "2.14.1+cu126",
        "torchvision": "0.29.1+cu126",
        "timm": "1.0",
        "numpy": "2.3",
    }
    project(
        sys.executable,
        "-m",
        "torchdoctor",
        "project",
        ".",
        "--variant",
        "cpu",
        "--variant",
        "cu126",
        "--check",
    )


def test_two_families_at_once_are_refused_by_uv(project):
    """They conflict."""
    with pytest.raises(AssertionError, match="incompatible with the declared conflicts"):
        project(uv.find_uv_bin(), "sync", "--extra", "cpu", "--extra", "cu126")
