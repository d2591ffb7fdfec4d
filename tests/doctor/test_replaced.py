"""Who replaced my torch: a real installer puts another one in, and the check-up names the package that asked for it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import uv

from tests.install.conftest import TORCH, native_tag
from tests.install.test_sources import versions
from tests.wheelmaker import make_wheel


@pytest.fixture
def env(torchdoctor, index, tmp_path):
    """An environment made by torchdoctor from an index on loopback, with torch as a CPU build."""
    name, content = make_wheel("torch", f"{TORCH}+cpu", tag=native_tag())
    index.add("/whl/cpu/torch/", name, content)
    folder = tmp_path / "env"
    ran = torchdoctor(
        "install", folder, "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch", TORCH,
        "--variant", "cpu", "--without", "torchvision", "--without", "torchaudio", "--without", "numpy", "--without",
        "pip", "--no-verify", "--no-hold",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    return folder


@pytest.fixture
def pip(env, index, alone):
    """A real installer, which resolves from the index alone."""

    def install(*packages):
        subprocess.run(
            [
                uv.find_uv_bin(), "pip", "install", "--no-config", "--python", env / "bin" / "python",
                "--default-index", f"{index.url}/simple", *packages,
            ],
            check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **alone}, timeout=120,
        )  # fmt: skip

    name, content = make_wheel("torch", "2.12.0", tag=native_tag(), built="2.12.0+cu130")
    index.add("/simple/torch/", name, content)
    name, content = make_wheel("upscaler", "1.0", tag="py3-none-any", requires=("torch==2.12.0",))
    index.add("/simple/upscaler/", name, content)
    return install


def _findings(torchdoctor, env):
    ran = torchdoctor("doctor", env, "--no-network", "--no-import", "--json")
    return {row["id"]: row for row in ran.json["findings"]}


def test_the_package_that_brought_another_torch_is_named(torchdoctor, env, pip):
    """It came in the same run and asks for that torch; the record says what was there before."""
    assert "torch-replaced-by-other-package" not in _findings(torchdoctor, env)
    pip("upscaler")
    found = _findings(torchdoctor, env)["torch-replaced-by-other-package"]
    assert f"torch changed from {TORCH}+cpu to 2.12.0+cu130" in found["evidence"][0]
    assert "when upscaler 1.0 was installed" in found["evidence"][0]


def test_a_torch_that_was_asked_for_by_name_is_nobody_s_fault(torchdoctor, env, pip):
    """The person who types `pip install torch` wanted it."""
    pip("torch==2.12.0")
    assert "torch-replaced-by-other-package" not in _findings(torchdoctor, env)


def test_the_family_comes_back_within_what_was_asked_for(torchdoctor, env, pip, index):
    """A requirements file replaced torch; `--fix` installs the recorded family, and names nobody who is innocent."""
    for version, requires in (("1.0", ("torch>=2.0",)), ("2.0", ("torch<2.13",))):
        index.add("/simple/trainer/", *make_wheel("trainer", version, tag="py3-none-any", requires=requires))
    pip("torch==2.12.0", "trainer==1.0")
    found = _findings(torchdoctor, env)
    assert "by uv, in one run with trainer 1.0" in found["torch-replaced-by-requirements"]["evidence"][0]
    assert "torch-replaced-by-other-package" not in found
    options = ("--no-network", "--no-import", "--fix", "--yes", "--json", "--index-url", f"{index.url}/whl")
    ran = torchdoctor("doctor", env, *options)
    assert [repair["outcome"] for repair in ran.json["repairs"]] == ["repaired"], ran.out
    assert versions(env) == {"torch": f"{TORCH}+cpu", "trainer": "1.0"}
