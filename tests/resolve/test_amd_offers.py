"""What is offered for AMD GPUs that PyTorch's builds have no code for, and drivers that are too old for a ROCm."""

from __future__ import annotations

import pytest

from torchdoctor.detect import Machine
from torchdoctor.resolve.amd_offers import amd_driver_warnings, amd_offers


def machine(gfx: str, *, os: str = "linux", driver: str | None = None) -> Machine:
    return Machine.from_json(
        {
            "os": os,
            "arch": "x86_64",
            "python": {"version": "3.12.4"},
            "amd": {"driver": driver, "gpus": [{"name": "Radeon", "gfx": gfx}]},
        }
    )


def test_an_override_that_was_seen_to_work_is_offered_with_its_warning():
    """AMD's own builds come first; the override says that results can be wrong."""
    own, override = amd_offers(machine("gfx1031"))
    assert "--vendor amd" in own
    assert "HSA_OVERRIDE_GFX_VERSION=10.3.0" in override
    assert "results can be wrong" in override


@pytest.mark.parametrize(("gfx", "os"), [("gfx1035", "linux"), ("gfx1031", "windows"), ("gfx803", "linux")])
def test_no_override_is_offered_where_it_is_not_known_to_work(gfx, os):
    """gfx1035 was seen to give wrong results with it; Windows has no such variable."""
    assert not any("were seen to run" in text for text in amd_offers(machine(gfx, os=os)))


@pytest.mark.parametrize(
    ("gfx", "how"), [("gfx1103", "hangs"), ("gfx1035", "wrong results"), ("gfx1150", "fails")]
)
def test_an_override_that_was_seen_to_fail_is_warned_of(gfx, how):
    """Forums name it for every GPU."""
    assert how in amd_offers(machine(gfx))[-1]
    assert not any("do not set" in text for text in amd_offers(machine(gfx, os="windows")))


@pytest.mark.parametrize(
    ("driver", "build", "count"),
    [
        ("6.7.0", "rocm7.2", 1),
        ("6.7.0-1756574.22.04", "rocm10.0.0", 1),
        ("6.7.0", "rocm6.3", 0),
        ("6.7.0", "rocm6.2.4", 0),
        ("99.0", "rocm7.2", 0),  # of which nothing is known
        (None, "rocm7.2", 0),  # the kernel's own
    ],
)
def test_a_driver_that_amd_did_not_test_with_the_rocm_of_a_build_is_said(driver, build, count):
    """Only where AMD's table of the driver is known."""
    found = amd_driver_warnings(machine("gfx1100", driver=driver and driver.partition("-")[0]), build)
    assert len(found) == count
