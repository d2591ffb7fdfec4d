"""uv itself says whose index it would ask, without the network and without looking at this machine."""

from __future__ import annotations

import os

import pytest

from tests.resolve.machines import RTX_4090, linux
from torchdoctor.detect import Amd, AmdGpu, machine_from_options
from torchdoctor.lock.uv_backend import uv_families

pytestmark = pytest.mark.process


def windows(driver):
    return machine_from_options(
        platform="win_amd64", python_version="3.12", driver=driver, gpus=("RTX 4090",), libc=None
    )


@pytest.mark.parametrize(
    ("machine", "first"),
    [
        (linux(RTX_4090, driver="580.95.05"), "cu132"),
        (linux(RTX_4090, driver="535.104.05"), "cu129"),
        (windows("580.95"), "cu132"),
        (linux(amd=Amd(gpus=(AmdGpu(gfx="gfx1100"),))), "rocm7.2"),
    ],
)
def test_uv_goes_by_the_driver_or_the_target(machine, first):
    """The order of its families for a machine that is described, as the pinned uv has it."""
    families = uv_families(machine, os.environ)
    assert families[0] == first
    assert "cpu" in families


def test_a_machine_without_either_is_not_asked_about():
    """uv would look at this machine instead."""
    assert uv_families(linux(), os.environ) == ()
