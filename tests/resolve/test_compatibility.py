"""How one build fits one machine: as a code, with the numbers in the reason."""

from __future__ import annotations

import pytest

from tests.resolve.machines import GTX_1080, RTX_4090, RTX_5090, V100, linux
from torchdoctor.detect import Amd, AmdGpu, Intel, IntelGpu, Libc
from torchdoctor.resolve.compatibility import check_compatibility
from wheels_index import bundled


def check(machine, release, name):
    return check_compatibility(machine, bundled().release(release), name)


@pytest.mark.parametrize(
    ("machine", "release", "name", "coverage", "code"),
    [
        (linux(), "2.15.0", "cpu", "all", "cpu"),
        (linux(RTX_4090, driver="580.65.06"), "2.15.0", "cu132", "all", "all-gpus"),
        (linux(RTX_4090, driver="550.54.15"), "2.15.0", "cu132", "none", "driver-too-old"),
        (linux(RTX_4090), "2.15.0", "cu132", "none", "driver-too-old"),
        (linux(GTX_1080, driver="580.65.06"), "2.15.0", "cu132", "none", "no-code"),
        (linux(GTX_1080, RTX_5090, driver="580.65.06"), "2.15.0", "cu132", "some", "some-gpus"),
        (linux(RTX_5090, driver="560.35.03"), "2.9.1", "cu128", "none", "driver-too-old"),
        (linux(), "2.15.0", "cu132", "none", "no-gpu"),
        (linux(), "2.9.1", "rocm6.4", "none", "no-gpu"),
        (linux(), "2.9.1", "xpu", "none", "no-gpu"),
        (linux(amd=Amd(gpus=(AmdGpu(gfx="gfx1100"),))), "2.9.1", "rocm6.4", "all", "all-gpus"),
        (linux(amd=Amd(gpus=(AmdGpu(gfx="gfx600"),))), "2.9.1", "rocm6.4", "none", "no-code"),
        (
            linux(amd=Amd(gpus=(AmdGpu(gfx="gfx1100"), AmdGpu(gfx="gfx600")))),
            "2.9.1", "rocm6.4", "some", "some-gpus",
        ),
        (linux(intel=Intel(gpus=(IntelGpu(name="Intel Arc B580"),))), "2.9.1", "xpu", "all", "all-gpus"),
        (linux(intel=Intel(gpus=(IntelGpu(name="UHD 770"),))), "2.9.1", "xpu", "none", "not-supported"),
        (linux(glibc="2.17"), "2.15.0", "cpu", "none", "glibc-too-old"),
    ],
)  # fmt: skip
def test_a_build_has_a_code(machine, release, name, coverage, code):
    """One word says how it fits."""
    found = check(machine, release, name)
    assert (found.coverage, found.code) == (coverage, code), found.reason
    assert found.installable == (code != "glibc-too-old")


def test_the_driver_that_would_be_enough_is_named():
    """What to update to, as a value and not only in words."""
    found = check(linux(RTX_4090, driver="550.54.15"), "2.15.0", "cu132")
    assert found.needs_driver == "580"
    assert found.reason == "cu132 needs driver ≥ 580; this machine has 550.54.15"


def test_a_gpu_without_code_gains_nothing_from_a_driver():
    """Updating the driver is not advised where the build has no code for the GPU."""
    assert check(linux(GTX_1080, driver="450.80.02"), "2.15.0", "cu132").needs_driver is None


def test_a_gpu_that_is_left_out_is_named_with_what_the_others_reach():
    """The most capable GPU that is served decides between builds."""
    found = check(linux(V100, RTX_5090, driver="580.65.06"), "2.15.0", "cu132")
    assert found.left_out == ("Tesla V100-SXM2-16GB",)
    assert found.reach == (12, 0)


def test_a_gpu_of_unknown_capability_is_in_nobodys_way():
    """Nothing is known against it, so the driver decides."""
    assert check(linux(("Unheard-of GPU", None), driver="580.65.06"), "2.15.0", "cu132").coverage == "all"


def test_another_c_library_has_no_glibc_floor():
    """musl is refused elsewhere, for every build."""
    machine = linux(libc=Libc(name="musl", version="1.2"))
    assert check(machine, "2.15.0", "cpu").code == "cpu"
