"""What torch and its companions declare to require."""

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from wheels_index import TORCH_PROJECTS, bundled, declared_requirements


def _declared(project="torch", version="2.8.0", *, platform="linux_x86_64", variant="cu128", default="cu128"):
    return declared_requirements(
        project, Version(version), platform=platform, variant=variant, default_variant=default
    )


def _names(declared):
    return {Requirement(line).name for line in declared.lines}


def test_the_default_build_of_pypi_is_known_completely():
    """Its own metadata was read, CUDA packages and all."""
    declared = _declared()
    assert declared.complete
    assert "nvidia-cudnn-cu12" in _names(declared)


def test_what_cuda_packages_another_build_requires_is_not_known():
    """It says so; what all builds share is known, triton among it."""
    declared = _declared(variant="cu126")
    assert not declared.complete
    assert {"sympy", "triton"} <= _names(declared)
    assert not any(name.startswith("nvidia") for name in _names(declared))


@pytest.mark.parametrize("variant", ["cpu", "rocm6.4", "xpu"])
def test_a_build_for_no_nvidia_gpu_does_not_require_its_packages(variant):
    """A CPU build requires nothing of an accelerator; which packages ROCm's and Intel's do is not known."""
    declared = _declared(variant=variant)
    assert declared.complete == (variant == "cpu")
    assert not any(name.startswith(("nvidia", "triton")) for name in _names(declared))


def test_a_platform_may_require_less():
    """The CPU build that PyPI has for aarch64 requires no CUDA package."""
    declared = _declared(version="2.1.0", platform="linux_aarch64", variant="cpu", default="cpu")
    assert declared.complete
    assert not any(name.startswith("nvidia") for name in _names(declared))


def test_a_version_that_nobody_read_is_not_known():
    """None, never a guess."""
    assert _declared(version="9.9.9") is None
    assert _declared("torchvision", "9.9.9") is None


@pytest.mark.parametrize("project", TORCH_PROJECTS)
def test_each_version_of_a_known_release_was_read(project):
    """So a choice over stored facts can be made of every release."""
    for release in bundled().releases():
        companion = release.companions.get(project)
        versions = [release.version] if companion is None else companion.versions
        for version in versions:
            assert _declared(project, str(version)) is not None, (project, version)
