"""AMD's own builds: which index serves a GPU, and what is asked of it."""

from __future__ import annotations

import pytest

from wheels_index import amd_build, nearest_gfx


@pytest.mark.parametrize("platform", ["linux_x86_64", "windows_x86_64"])
def test_the_extra_names_the_gpu(platform):
    """Only the packages that have code for GPUs take the extra; torchaudio has none."""
    build = amd_build(platform, ["gfx1201"])
    assert (build.index_url, build.rocm) == ("https://stable.repo.amd.com/rocm/whl-next/", "10.0.0")
    assert build.requirements == (
        "torch[device-gfx1201]==2.13.0+rocm10.0.0",
        "torchvision[device-gfx1201]==0.28.0+rocm10.0.0",
        "torchaudio==2.11.0.2+rocm10.0.0",
    )


def test_two_gpus_are_served_by_one_build():
    """An integrated GPU beside a discrete one: both extras."""
    assert amd_build("linux_x86_64", ["gfx1201", "gfx1151"]).requirements[0] == (
        "torch[device-gfx1151,device-gfx1201]==2.13.0+rocm10.0.0"
    )


def test_an_older_generation_gets_the_older_index():
    """RDNA 1 was seen on the index of ROCm 7.14 alone; versions that nobody named are not pinned."""
    build = amd_build("windows_x86_64", ["gfx1010"])
    assert build.index_url == "https://repo.amd.com/rocm/whl-multi-arch/"
    assert build.requirements[1] == "torchvision[device-gfx1010]"


@pytest.mark.parametrize(
    ("platform", "targets"),
    [
        ("linux_aarch64", ["gfx942"]),
        ("windows_x86_64", ["gfx803"]),
        ("windows_x86_64", []),
        ("linux_x86_64", ["gfx1033"]),  # it installs, and trains to wrong numbers
    ],
)
def test_what_no_index_serves_rightly_has_none(platform, targets):
    """No build is better than one that fails or computes wrong."""
    assert amd_build(platform, targets) is None


def test_a_target_that_came_to_a_variant_later_is_not_in_its_earlier_releases():
    """gfx1103 is in rocm7.2 from torch 2.13 on."""
    assert "gfx1103" in nearest_gfx("rocm7.2", "2.13.0")[0]
    assert "gfx1103" in nearest_gfx("rocm7.2")[0]
    assert "gfx1103" not in nearest_gfx("rocm7.2", "2.12.1")[0]
