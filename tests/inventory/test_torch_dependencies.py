"""Which packages are there for a build of torch and nothing else: they go with it, and are told where it left them."""

from __future__ import annotations

import pytest

from torchdoctor.inventory.required import marker_environment
from torchdoctor.inventory.torch_dependencies import only_for_torch, overwritten_in, unneeded_packages

LINUX = 'platform_system == "Linux"'
CU12 = ("nvidia-cudnn-cu12==9.10.2.21", "nvidia-cublas-cu12==12.8.4.1", "triton==3.5.1")


@pytest.fixture
def cu128(env):
    """torch for CUDA 12.8 as pip installs it, with NVIDIA's packages and one that torch shares with everybody."""
    env.torch("2.9.1+cu128", requires=(*CU12, "filelock"))
    env.put("nvidia-cudnn-cu12", "9.10.2.21", requires=("nvidia-cublas-cu12",))
    env.put("nvidia-cublas-cu12", "12.8.4.1")
    env.put("triton", "3.5.1")
    env.put("filelock", "3.0")
    return env


def only(env, **more):
    return only_for_torch([env.site], marker_environment(env.python), **more)


def unneeded(env, asked=()):
    return unneeded_packages(env.take().distributions.value, marker_environment(env.python), asked)


def test_the_libraries_of_the_build_are_torchs_own(cu128):
    """What everybody uses is not among them."""
    assert only(cu128) == {"nvidia-cudnn-cu12", "nvidia-cublas-cu12", "triton"}


def test_extras_are_followed_to_what_torch_requires_through_them(env):
    """As from cuda-toolkit; a package of another extra is somebody's own."""
    env.torch("2.14.1", requires=(f"cuda-toolkit[cublas]==13.0.3; {LINUX}",))
    env.put(
        "cuda-toolkit",
        "13.0.3",
        requires=('nvidia-cublas==13.1; extra == "cublas"', 'nvidia-cuda-nvcc==13.0; extra == "nvcc"'),
    )
    env.put("nvidia-cublas", "13.1")
    env.put("nvidia-cuda-nvcc", "13.0", installer="uv", requested=True)
    assert only(env) == {"cuda-toolkit", "nvidia-cublas"}


def test_what_another_package_mentions_stays_with_all_that_it_needs(cu128):
    """Be it for an extra: jax[cuda12] loads the same libraries."""
    cu128.put("jax-cuda12-plugin", "0.7", requires=('nvidia-cudnn-cu12>=9; extra == "with_cuda"',))
    assert only(cu128) == {"triton"}


def test_what_somebody_asked_for_stays(cu128):
    """By pip's mark, or by the record of what was asked for."""
    cu128.put("nvidia-nccl-cu12", "2.27.5", requested=True)
    cu128.torch("2.9.2+cu128", requires=("nvidia-nccl-cu12",))
    assert "nvidia-nccl-cu12" not in only(cu128)
    assert "triton" not in only(cu128, asked={"triton"})


def test_what_a_companion_needs_that_is_not_replaced_stays(cu128):
    """It is imported with the new torch too."""
    cu128.put("torchaudio", "2.9.1+cu128", requires=("triton",))
    assert "triton" in only(cu128)
    assert "triton" not in only(cu128, replaced={"torch", "torchvision"})


def test_what_pip_left_of_another_build_is_unneeded(cu128):
    """torch was replaced by one for CUDA 13: nothing requires the packages for CUDA 12 any more, unless asked for."""
    for metadata in cu128.site.glob("torch-*.dist-info/METADATA"):
        metadata.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.14.1\nRequires-Dist: triton\n")
    assert unneeded(cu128) == {"nvidia-cudnn-cu12", "nvidia-cublas-cu12"}
    assert unneeded(cu128, asked={"nvidia-cudnn-cu12"}) == frozenset()


def test_of_an_installer_that_marks_everything_only_what_builds_of_torch_require_is_unneeded(env):
    """uv marks every package as asked for: a compiler or a Triton may be somebody's own."""
    env.torch("2.14.0+cpu")
    for name in (
        "nvidia-nccl-cu12",
        "nvidia-cublas-cu12",
        "nvidia-cuda-nvcc-cu12",
        "triton",
        "cuda-bindings",
    ):
        env.put(name, "1", installer="uv", requested=True)
    assert unneeded(env) == {"nvidia-nccl-cu12", "nvidia-cublas-cu12"}


def test_what_no_build_of_torch_alone_brings_may_be_somebodys_own(env):
    """ctranslate2 opens cuBLAS and cuDNN without requiring them; uv does not say who asked for what."""
    env.torch("2.14.0+cpu")
    for name in ("ctranslate2", "nvidia-cublas-cu12", "nvidia-cudnn-cu12"):
        env.put(name, "1", installer="uv", requested=True)
    assert unneeded(env) == frozenset()


def test_without_metadata_of_torch_nothing_is_called_unneeded(env):
    """What it requires is not known then."""
    env.put("nvidia-cublas-cu12", "12.8")
    assert unneeded(env) == frozenset()


def test_a_package_whose_file_another_one_replaced_is_overwritten(env):
    """Both have it, under one name and with other contents."""
    shared = "nvidia/cudnn/lib/libcudnn.so.9"
    env.put("nvidia-cudnn-cu12", "9.10", files={shared: b"old"})
    env.put("nvidia-cudnn-cu13", "9.24", files={shared: b"newer"})
    assert overwritten_in([env.site]) == {"nvidia-cudnn-cu12"}
