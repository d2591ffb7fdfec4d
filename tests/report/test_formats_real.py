"""`resolve --format` for pip, uv and Poetry: they read what it writes, from an index on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import uv
import yaml

from tests.conftest import settings_of_nobody
from tests.loopback import LoopbackIndex
from tests.wheelmaker import make_wheel
from torchdoctor.project.model import FamilyTables, Member
from torchdoctor.project.snippets import poetry_tables

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.process
HERE = f"cp{sys.version_info[0]}{sys.version_info[1]}"
TAG = f"{HERE}-{HERE}-manylinux_2_17_x86_64"
EXPECTED = {"torch": "2.13.0+cu126", "torchvision": "0.28.0+cu126", "timm": "1.0", "numpy": "2.3"}


@pytest.fixture(scope="module")
def served():
    """PyTorch's index with two families, and a PyPI that has a newer torch and everything else."""
    with LoopbackIndex() as index:

        def add(page, name, version, requires=(), tag=TAG):
            index.add(page, *make_wheel(name, version, tag=tag, requires=requires))

        for build in ("cu126", "cpu"):
            add(f"/whl/{build}/torch/", "torch", f"2.13.0+{build}", ("numpy",))
            add(f"/whl/{build}/torchvision/", "torchvision", f"0.28.0+{build}", ("torch==2.13.0",))
            add(f"/whl/{build}/numpy/", "numpy", "1.0", tag="py3-none-any")
        for torch, vision in (("2.13.0", "0.28.0"), ("2.15.0", "0.30.0")):
            add("/simple/torch/", "torch", torch, ("numpy",))
            add("/simple/torchvision/", "torchvision", vision, (f"torch=={torch}",))
        add("/simple/numpy/", "numpy", "2.3", tag="py3-none-any")
        add("/simple/timm/", "timm", "1.0", ("torch", "torchvision", "numpy"), tag="py3-none-any")
        yield index


@pytest.fixture
def place(served, tmp_path):
    """A folder and variables of a user whose PyPI is the loopback's."""
    environ = {
        **os.environ,
        **settings_of_nobody(tmp_path, served.url),
        "UV_DEFAULT_INDEX": f"{served.url}/simple",
    }
    environ |= {"PIP_NO_CACHE_DIR": "1", "UV_PYTHON": sys.executable}
    return tmp_path, {name: value for name, value in environ.items() if name != "VIRTUAL_ENV"}


@pytest.fixture
def written(served, place):
    """The plan for an RTX 4090 from the loopback's index, in a form."""

    def write(form, *more):
        folder, environ = place
        label = f"{sys.version_info[0]}.{sys.version_info[1]}"
        described = (
            "--platform",
            "linux",
            "--python-version",
            label,
            "--driver",
            "570.124",
            "--gpu",
            "RTX 4090",
        )
        done = subprocess.run(
            [sys.executable, "-m", "torchdoctor", "resolve", *described, "--torch", "2.13.0",
             "--index-url", f"{served.url}/whl/cu126", "--with", "timm", "--without", "torchaudio", "--without", "pip",
             "--format", form, *more],
            env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return write


def run(place, *words, cwd=None):
    """Run a program, which must end well."""
    folder, environ = place
    done = subprocess.run(
        [str(word) for word in words], env=environ, cwd=cwd or folder, capture_output=True, text=True, check=False,
        timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip_chooses(place, *options):
    """What pip would install."""
    folder, _ = place
    report = folder / "report.json"
    run(
        place,
        sys.executable,
        "-m",
        "pip",
        "install",
        "--ignore-installed",
        "--dry-run",
        "--report",
        report,
        *options,
    )
    rows = json.loads(report.read_text("utf-8"))["install"]
    return {row["metadata"]["name"]: row["metadata"]["version"] for row in rows}


def test_pip_takes_the_requirements(place, written):
    """The family from its index, everything else from PyPI."""
    (place[0] / "r.txt").write_text(written("requirements"), "utf-8")
    assert pip_chooses(place, "-r", "r.txt") == EXPECTED


def test_pip_checks_the_hash_of_everything(place, written):
    """One hash makes pip want all of them, so those of what torch needs stand there too.

    A lock takes numpy from the index that the command names.
    """
    text = written("requirements", "--hashes")
    assert text.count("--hash=sha256:") == len(EXPECTED)
    (place[0] / "r.txt").write_text(text, "utf-8")
    assert pip_chooses(place, "--require-hashes", "-r", "r.txt") == {**EXPECTED, "numpy": "1.0"}


def test_pip_keeps_the_family_by_the_constraints(place, written):
    """A file that asks for more cannot bring PyPI's newer torch."""
    (place[0] / "c.txt").write_text(written("constraints"), "utf-8")
    assert pip_chooses(place, "-c", "c.txt", "timm") == EXPECTED


@pytest.mark.slow
def test_pip_takes_the_section_of_conda(place, written):
    """conda writes it into a file and calls pip with that."""
    section = yaml.safe_load(written("environment.yml"))["dependencies"][-1]["pip"]
    (place[0] / "r.txt").write_text("\n".join(section), "utf-8")
    assert pip_chooses(place, "-r", "r.txt") == EXPECTED


@pytest.mark.slow
def test_pip_takes_the_requirements_of_the_dockerfile(place, written):
    """They stand in it between two marks, which a shell leaves as they are."""
    _, _, text = written("dockerfile").partition("COPY <<'END_OF_REQUIREMENTS' /tmp/requirements.txt\n")
    (place[0] / "r.txt").write_text(text.partition("END_OF_REQUIREMENTS\n")[0], "utf-8")
    assert pip_chooses(place, "-r", "r.txt") == EXPECTED


@pytest.mark.slow
def test_pip_takes_the_command_of_the_dev_container(place, written):
    """The words after `pip install`."""
    words = json.loads(written("devcontainer"))["postCreateCommand"]
    assert pip_chooses(place, *words[words.index("--user") + 1 :]) == EXPECTED


def test_uv_takes_the_requirements(place, written):
    """In the way that the file names."""
    (place[0] / "r.txt").write_text(written("requirements"), "utf-8")
    compiled = run(
        place, uv.find_uv_bin(), "pip", "compile", "-q", "--no-annotate", "--no-header", "--no-emit-index-url",
        "--index-strategy", "unsafe-best-match", "r.txt",
    )  # fmt: skip
    assert dict(line.split("==") for line in compiled.split() if "==" in line) == EXPECTED


def test_uv_syncs_the_project(place, written):
    """And PyTorch's own numpy is not taken."""
    (place[0] / "pyproject.toml").write_text(written("uv"), "utf-8")
    run(place, uv.find_uv_bin(), "sync", "-q")
    rows = json.loads(
        run(place, uv.find_uv_bin(), "pip", "list", "-q", "--format", "json", "--python", ".venv")
    )
    assert {row["name"]: row["version"] for row in rows} == EXPECTED


@pytest.fixture(scope="module")
def poetry(once):
    """Poetry in an environment of its own, made once for the run."""

    def make(folder):
        python = folder / "poetry" / "bin" / "python"
        for words in (("venv", python.parents[1]), ("pip", "install", "-q", "--python", python, "poetry>=2")):
            done = subprocess.run(
                [uv.find_uv_bin(), *words], capture_output=True, text=True, check=False, timeout=300
            )
            if done.returncode:
                return {"why": done.stderr[-300:]}
        return {"program": str(python.with_name("poetry"))}

    made = once("poetry-tool", make)
    if "program" not in made:
        pytest.skip(f"Poetry cannot be had here: {made['why']}")
    return made["program"]


@pytest.mark.slow  # Poetry has to be installed for it
def test_poetry_locks_the_project(served, place, written, poetry):
    """It finds nothing to complain of, and locks the family from its source."""
    text = written("poetry")
    here = f'\n[[tool.poetry.source]]\nname = "here"\nurl = "{served.url}/simple"\npriority = "primary"\n'
    (place[0] / "pyproject.toml").write_text(text + here, "utf-8")
    assert "All set!" in run(place, poetry, "check", "--no-interaction")
    run(place, poetry, "lock", "--no-interaction")
    lock = tomllib.loads((place[0] / "poetry.lock").read_text("utf-8"))
    assert {row["name"]: row["version"] for row in lock["package"]} == EXPECTED


def test_poetry_keeps_the_families_of_a_project_apart(served, place, poetry):
    """The tables that `torchdoctor project` shows: one lock for both, and one extra at a time."""
    members = (Member(name="torch", line="torch>=2.13,<2.15"), Member(name="torchvision", line="torchvision"))
    families = [
        FamilyTables(
            variant=name, section="extra", name=name, index_name=f"pytorch-{name}",
            index_url=f"{served.url}/whl/{name}",
            members=members,
        )
        for name in ("cpu", "cu126")
    ]  # fmt: skip
    label = f"{sys.version_info[0]}.{sys.version_info[1]}"
    text = (
        f'[project]\nname = "x"\nversion = "0"\nrequires-python = "=={label}.*"\ndependencies = ["numpy"]\n'
        f"{poetry_tables(families)}\n[tool.poetry]\npackage-mode = false\n"
        f'[[tool.poetry.source]]\nname = "here"\nurl = "{served.url}/simple"\npriority = "primary"\n'
    )
    (place[0] / "pyproject.toml").write_text(text, "utf-8")
    run(place, poetry, "lock", "--no-interaction")
    lock = tomllib.loads((place[0] / "poetry.lock").read_text("utf-8"))
    found = {row["version"] for row in lock["package"] if row["name"] == "torch"}
    assert found == {"2.13.0+cpu", "2.13.0+cu126"}
    (numpy,) = (row for row in lock["package"] if row["name"] == "numpy")
    assert numpy["version"] == EXPECTED["numpy"]
