"""What is warned of on a machine, whichever build is chosen."""

from __future__ import annotations

import pytest

from torchdoctor.detect import Machine
from torchdoctor.detect.model import Apple, Libc, Nvidia, NvidiaGpu, Python
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.machine_warnings import machine_warnings


def linux(name, driver):
    """A Linux machine with one GPU, whose capability is not said."""
    return Machine(
        os="linux", arch="x86_64", libc=Libc(name="glibc", version="2.35"), python=Python(version="3.12.4"),
        nvidia=Nvidia(driver=driver, gpus=(NvidiaGpu(name=name),)),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["NVIDIA GeForce GTX 1080 Ti", "Tesla V100-SXM2-16GB", "Quadro M6000"])
def test_a_driver_that_left_the_gpu_behind_is_said_with_the_branch_to_go_back_to(name):
    """Branches after 580 drive no Maxwell, Pascal or Volta."""
    warnings = resolve(linux(name, "595.45.04"), Request()).warnings
    assert any("580" in text and name in text for text in warnings), warnings


@pytest.mark.parametrize(
    ("name", "driver"),
    [("GTX 1080 Ti", "580.65.06"), ("GTX 1080 Ti", "582.10"), ("RTX 2080", "595.45.04"), ("GTX 1080", None)],
)
def test_a_driver_that_drives_the_gpu_or_is_not_known_is_no_warning(name, driver):
    """580 is the last branch, and Turing has no last branch yet."""
    assert machine_warnings(linux(name, driver)) == ()


def test_an_intel_python_on_apples_chip_is_told_of_a_native_one():
    """It gets torch 2.2.2, and the native one the newest."""
    machine = Machine(
        os="macos",
        arch="x86_64",
        os_version="15.0",
        python=Python(version="3.12.4"),
        apple=Apple(chip="Apple M2"),
    )
    plan = resolve(machine, Request())
    assert str(plan.torch.version) == "2.2.2"
    assert any("arm64" in text and "Apple M2" in text for text in plan.warnings)
