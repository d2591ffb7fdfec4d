"""A package that leaves takes along what it alone has: files that others list too stay."""

from __future__ import annotations

import os
import subprocess

import pytest
from uv import find_uv_bin

from tests.inventory.site import Environment
from tests.wheelmaker import make_wheel
from torchdoctor.install.shared_files import bytes_of_packages, release_shared_files

NAMESPACE, LIBRARY = "nvidia/__init__.py", "nvidia/cudnn/lib/libcudnn.so.9"


@pytest.fixture
def env(tmp_path):
    """NVIDIA's packages as pip leaves them: two of cuDNN with one library, and one that stays with the namespace."""
    env = Environment(tmp_path / "env")
    env.put("nvidia-cudnn-cu12", "9.10", files={NAMESPACE: "", LIBRARY: b"1234", "nvidia/cudnn/old.h": b"12"})
    env.put("nvidia-cudnn-cu13", "9.24", files={LIBRARY: b"12345"})
    env.put("nvidia-cuda-nvcc-cu12", "12.8", files={NAMESPACE: "", "nvidia/nvcc/bin": b"1"})
    return env


def record(env, name):
    """The paths in a package's RECORD, its metadata left out."""
    (path,) = env.site.glob(f"{name.replace('-', '_')}-*.dist-info/RECORD")
    paths = [line.partition(",")[0] for line in path.read_text().splitlines()]
    return {name for name in paths if ".dist-info/" not in name}


def test_the_record_of_a_package_that_leaves_loses_what_others_list(env):
    """The records of those that stay are as they were."""
    release_shared_files([env.site], {"nvidia-cudnn-cu12"})
    assert record(env, "nvidia-cudnn-cu12") == {"nvidia/cudnn/old.h"}
    assert record(env, "nvidia-cudnn-cu13") == {LIBRARY}
    assert record(env, "nvidia-cuda-nvcc-cu12") == {NAMESPACE, "nvidia/nvcc/bin"}


def test_files_of_packages_that_leave_together_go(env):
    """The last owner takes it along."""
    release_shared_files([env.site], {"nvidia-cudnn-cu12", "nvidia-cudnn-cu13"})
    assert record(env, "nvidia-cudnn-cu13") == {LIBRARY}
    assert record(env, "nvidia-cudnn-cu12") == {LIBRARY, "nvidia/cudnn/old.h"}


def test_a_hard_link_of_the_record_keeps_its_contents(env, tmp_path):
    """The environment is changed in a copy of hard links: the original must not change with it."""
    (path,) = env.site.glob("nvidia_cudnn_cu12-*.dist-info/RECORD")
    before = path.read_text()
    os.link(path, tmp_path / "other")
    release_shared_files([env.site], {"nvidia-cudnn-cu12"})
    assert (tmp_path / "other").read_text() == before


def test_the_room_of_a_package_is_that_of_its_own_files(env):
    """What it shares with one that stays is not freed with it."""
    one = bytes_of_packages([env.site], {"nvidia-cudnn-cu12"})["nvidia-cudnn-cu12"]
    both = bytes_of_packages([env.site], {"nvidia-cudnn-cu12", "nvidia-cudnn-cu13"})["nvidia-cudnn-cu12"]
    assert both - one == len(b"12345")
    assert bytes_of_packages([env.site], {"missing"}) == {"missing": 0}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_record_that_is_a_pipe_is_not_waited_for(env):
    """It lists nothing; the other records are read."""
    before = bytes_of_packages([env.site], {"nvidia-cudnn-cu12"})
    folder = env.site / "zzz-1.dist-info"
    folder.mkdir()
    os.mkfifo(folder / "RECORD")
    assert bytes_of_packages([env.site], {"nvidia-cudnn-cu12"}) == before


@pytest.mark.process
def test_a_change_of_family_takes_along_what_only_the_old_torch_needed(official, tag, torchdoctor, tmp_path):
    """Listed with its size; shared files, what pip was asked for and --keep-unneeded keep what they should."""
    folder, wheels = tmp_path / "env", tmp_path / "wheels"
    wheels.mkdir()
    files = (
        make_wheel("torch", "2.13.0+cu126", tag=tag, requires=("nvidia-cudnn-cu12", "triton")),
        make_wheel("triton", "3.4.0", tag="py3-none-any"),
        make_wheel("nvidia-cudnn-cu12", "9.10", tag="py3-none-any", modules={NAMESPACE: "", LIBRARY: b"1"}),
        make_wheel("nvidia-npp-cu12", "12.8", tag="py3-none-any", modules={NAMESPACE: ""}),
    )
    for name, content in files:
        (wheels / name).write_bytes(content)
    uv = [find_uv_bin(), "--no-config", "--offline", "--quiet"]
    subprocess.run([*uv, "venv", folder], check=True)
    subprocess.run(
        [*uv, "pip", "install", "--python", folder / "bin" / "python", *sorted(wheels.iterdir())], check=True
    )
    options = (
        "install", folder, "--index-url", f"{official.url}/whl", "--variant", "cpu", "--torch", "2.13.0",
        "--without", "torchvision", "--without", "torchaudio", "--without", "pip", "--without", "numpy", "--no-verify",
    )  # fmt: skip
    dry = torchdoctor(*options, "--dry-run", "--json").json
    gone = [change["name"] for change in dry["changes"] if change["after"] is None]
    assert gone == ["nvidia-cudnn-cu12", "triton"]
    kept = torchdoctor(*options, "--keep-unneeded", "--dry-run", "--json").json
    assert [change["name"] for change in kept["changes"]] == ["torch"]
    ran = torchdoctor(*options)
    assert ran.status == 0, ran.err
    assert "- nvidia-cudnn-cu12 9.10 (0.0 MB)" in ran.err
    assert "2 packages that only the replaced torch needed" in ran.err
    (site,) = folder.glob("lib/python*/site-packages")
    assert not (site / LIBRARY).exists()
    assert (site / NAMESPACE).exists()
    left = {path.name.partition("-")[0] for path in site.glob("*.dist-info")}
    assert left == {"torch", "nvidia_npp_cu12"}
