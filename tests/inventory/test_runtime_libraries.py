"""Where the libraries of a CUDA build would be found: as the linker of Linux looks, by their headers alone."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from tests.binaries import make_elf

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the linker of Linux")

RPATH = "$ORIGIN/../../nvidia/cu13/lib:$ORIGIN"
LIBRARIES = {
    "torch/lib/libtorch_cuda.so": make_elf(
        needed=("libcusparse.so.12", "libc.so.6", "libcuda.so.1"), runpath=RPATH
    ),
    "torch/lib/libtorch_cpu.so": make_elf(needed=("libcupti.so.13",), runpath=RPATH),
}
NVIDIA = {
    "nvidia/cu13/lib/libcusparse.so.12": make_elf(needed=("libnvJitLink.so.13",), runpath="$ORIGIN"),
    "nvidia/cu13/lib/libnvJitLink.so.13": make_elf(),
    "nvidia/cu13/lib/libcupti.so.13": make_elf(),
}


@pytest.fixture
def cu130(env):
    """A torch for CUDA 13 that requires cuSPARSE, with its libraries."""
    env.put(
        "torch",
        "2.14.1+cu130",
        files={"torch/__init__.py": "", "torch/version.py": "cuda = '13.0'\n", **LIBRARIES},
        requires=("nvidia-cusparse==12.6.3.3", "nvidia-cuda-nvrtc==13.0.88"),
    )
    env.put("nvidia-cusparse", "12.6.3.3", files=NVIDIA)
    env.put("nvidia-cuda-nvrtc", "13.0.88", files={f"nvidia/cu13/lib/{name}": make_elf() for name in NVRTC})
    return env


NVRTC = ("libnvrtc.so.13", "libnvrtc-builtins.so.13.0")


def _told(env, **more):
    return {each.name: (each.kind, each.needed_by) for each in env.take(**more).runtime.value or ()}


def test_a_whole_environment_has_nothing_to_tell(cu130):
    """What the driver and the system bring is theirs."""
    assert _told(cu130) == {}


def test_a_library_that_another_library_needs_is_followed(cu130):
    """torch needs cuSPARSE, and that needs nvJitLink."""
    (cu130.site / "nvidia/cu13/lib/libnvJitLink.so.13").unlink()
    assert _told(cu130) == {"libnvJitLink.so.13": ("missing", "libcusparse.so.12")}


def test_a_library_that_is_loaded_when_it_is_used_is_missed(cu130):
    """No header names NVRTC's builtins; the table does."""
    (cu130.site / "nvidia/cu13/lib/libnvrtc-builtins.so.13.0").unlink()
    assert _told(cu130) == {"libnvrtc-builtins.so.*": ("missing", "torch.special")}


def test_a_library_of_another_place_is_told_with_the_place(cu130, tmp_path):
    """LD_LIBRARY_PATH has it, and the environment has not."""
    (tmp_path / "cuda").mkdir()
    (cu130.site / "nvidia/cu13/lib/libcupti.so.13").rename(tmp_path / "cuda/libcupti.so.13")
    environ = {"LD_LIBRARY_PATH": str(tmp_path / "cuda")}
    assert _told(cu130, environ=environ) == {"libcupti.so.13": ("elsewhere", "libtorch_cpu.so")}


def test_libraries_of_the_python_below_are_torchs_too(cu130, tmp_path):
    """An environment that shares its packages: torch looks for NVIDIA's on the whole import path."""
    below = tmp_path / "below/site-packages"
    below.mkdir(parents=True)
    (cu130.site / "nvidia").rename(below / "nvidia")
    assert "libcupti.so.13" in _told(cu130)
    cu130.python = replace(cu130.python, path=(*cu130.python.path, str(below)))
    assert _told(cu130) == {}


def test_two_files_of_one_name_are_told_with_the_one_that_is_loaded(cu130):
    """Somebody copied another one beside torch's own libraries."""
    (cu130.site / "torch/lib/libcupti.so.13").write_bytes(make_elf(padding=b"\0" * 64))
    assert _told(cu130) == {"libcupti.so.13": ("twice", "libtorch_cpu.so")}
    (told,) = cu130.take().runtime.value
    assert told.places[0].endswith("nvidia/cu13/lib/libcupti.so.13")


def test_a_build_of_ones_own_uses_the_systems(env):
    """It requires no package of NVIDIA's."""
    files = {"torch/__init__.py": "", "torch/version.py": "cuda = '13.0'\n", **LIBRARIES}
    env.put("torch", "2.14.1+cu130", files=files)
    assert _told(env) == {}


def test_libraries_that_are_none_break_nothing(cu130):
    """A cut header is told elsewhere."""
    for name in LIBRARIES:
        (cu130.site / name).write_bytes(b"\x7fELF\x02\x01" + b"\xff" * 90)
    assert _told(cu130) == {}
