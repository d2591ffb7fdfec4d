"""A release and a variant that came out after the facts are understood and chosen, and the rule is named."""

from __future__ import annotations

from packaging.version import Version

from tests.resolve.machines import RTX_4090, linux
from torchdoctor.detect import Amd, AmdGpu
from torchdoctor.resolve import Request, rank
from wheels_index import Wheel, bundled, overlay

TAG = "cp312-cp312-manylinux_2_28_x86_64"


def seen(*builds):
    """The bundled facts with these builds of torch seen on the live index."""
    wheels = [
        Wheel.from_filename(
            f"torch-{build}-{TAG}.whl", url=f"https://download.pytorch.org/whl/x/torch-{build}-{TAG}.whl"
        )
        for build in builds
    ]
    return overlay(bundled(), wheels, as_of="2027-01-15")


def first(machine, snapshot):
    return rank(machine, Request(), snapshot).candidates[0]


def test_a_new_toolkit_of_a_known_cuda_major_is_chosen_by_that_majors_rule():
    """cu136 is not in the facts; CUDA 13 needs driver 580."""
    found = first(linux(RTX_4090, driver="580.65.06"), seen("2.16.0+cu136", "2.16.0+cpu"))
    assert (found.torch, found.variant) == (Version("2.16.0"), "cu136")
    assert "CUDA 13.x minor-version compatibility" in found.reasons[-1]


def test_a_new_rocm_is_chosen_by_the_nearest_targets():
    """rocm8.0 is not in the facts; its targets are taken from the newest ROCm whose targets are."""
    machine = linux(amd=Amd(gpus=(AmdGpu(name="Radeon RX 7900 XTX", gfx="gfx1100"),)))
    found = first(machine, seen("2.16.0+rocm8.0", "2.16.0+cpu"))
    assert (found.torch, found.variant) == (Version("2.16.0"), "rocm8.0")
    assert "rocm7.2" in found.reasons[-1]


def test_a_cuda_major_that_nobody_knows_comes_after_builds_that_are_known_to_fit():
    """No rule says which driver CUDA 14 needs."""
    found = first(linux(RTX_4090, driver="580.65.06"), seen("2.16.0+cu140", "2.16.0+cpu"))
    assert (found.torch, found.variant) == (Version("2.15.0"), "cu132")


def test_the_newest_release_is_chosen_on_a_machine_without_a_gpu():
    """A new release needs no code."""
    assert first(linux(), seen("2.16.0+cpu")).torch == Version("2.16.0")
