"""The library as a distribution of its own: built from its folder, and used where nothing of torchdoctor is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import packaging
import pytest
from uv import find_uv_bin

import wheels_index

FOLDER = Path(wheels_index.__file__).parent


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An environment with the wheel that its own pyproject.toml builds, and packaging."""
    folder = tmp_path_factory.mktemp("alone")
    uv = (find_uv_bin(), "--offline", "--quiet", "--no-config", "--cache-dir", folder / "cache")
    source = folder / "wheels_index"
    shutil.copytree(FOLDER, source, ignore=shutil.ignore_patterns("__pycache__"))
    built = folder / "dist"
    run(*uv, "build", "--python", sys.executable, "--no-build-isolation", "--out-dir", built, source)
    assert sorted(path.suffix for path in built.iterdir() if path.name[0] != ".") == [".gz", ".whl"]
    run(*uv, "venv", "--python", sys.executable, folder / "env")
    interpreter = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(*uv, "pip", "install", "--python", interpreter, "--no-deps", next(built.glob("*.whl")))
    site = Path(run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    shutil.copytree(Path(packaging.__file__).parent, site / "packaging")
    return interpreter


def run(*command):
    """Run a command away from the checkout; what it printed."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, cwd=Path(sys.prefix)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.process
def test_it_is_built_from_its_folder_and_works_alone(python):
    """Its facts, its document and its schema come with it; torchdoctor is not there."""
    code = "import importlib.util, wheels_index; print(wheels_index.__file__, importlib.util.find_spec('torchdoctor'))"
    where, found = run(python, "-I", "-c", code).split()
    assert str(python.parents[1]) in where
    assert found == "None"
    document = json.loads(run(python, "-I", "-m", "wheels_index", "matrix"))
    assert document == json.loads(json.dumps(wheels_index.matrix_document()))
    assert json.loads(run(python, "-I", "-m", "wheels_index", "schema"))["title"] == "matrix of wheels_index"
    assert (
        run(python, "-I", "-m", "wheels_index", "--version") == f"wheels_index {wheels_index.__version__}\n"
    )
    assert run(python.parent / "wheels-index", "unsourced") == ""
    assert run(python.parent / "wheels-index", "--help").startswith("usage: wheels-index ")
