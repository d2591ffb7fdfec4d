"""uv itself says whose index it would ask, without the network and without looking at this machine."""

from __future__ import annotations

import os

import pytest

from tests.resolve.machines import RTX_4090, linux
from torchdoctor.detect import Amd, AmdGpu, machine_from_options
from torchdoctor.errors import InstallFailed
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


def test_a_uv_that_names_no_index_is_an_error_of_ours():
    """A driver that it cannot read is no machine without one."""
    with pytest.raises(InstallFailed, match=r"uv did not answer: .*UV_CUDA_DRIVER_VERSION"):
        uv_families(linux(RTX_4090, driver="abc"), os.environ)


def test_a_free_threaded_python_changes_nothing():
    """The families are those of the driver."""
    machine = machine_from_options(
        platform="win_amd64", python_version="3.13t", driver="580.95", gpus=("RTX 4090",), libc=None
    )
    assert uv_families(machine, os.environ)[0] == "cu132"
