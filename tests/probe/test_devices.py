"""Devices by name, and whether a build has kernels for a GPU."""

from __future__ import annotations

import pytest

from torchdoctor.probe import devices

H200 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]


@pytest.mark.parametrize(
    ("asked", "found", "missing"),
    [
        (None, ["cpu", "cuda:0", "cuda:1"], []),
        (["cuda"], ["cuda:0", "cuda:1"], []),
        (["cuda:1", "cuda"], ["cuda:1", "cuda:0"], []),
        (["cpu", "xpu"], ["cpu"], ["xpu"]),
        (["cuda:7"], [], ["cuda:7"]),
    ],
)
def test_a_kind_stands_for_all_its_devices(asked, found, missing):
    """And what is not there is told."""
    assert devices.chosen(asked, ["cpu", "cuda:0", "cuda:1"]) == (found, missing)


@pytest.mark.parametrize(
    ("capability", "architectures", "fits"),
    [
        ("9.0", H200, True),
        ("8.9", H200, True),
        ("6.1", H200, False),
        ("10.3", ["sm_100"], True),
        ("12.1", ["sm_90", "compute_90"], True),
        ("10.0", ["sm_90a"], False),
        ("9.0", ["sm_90a"], True),
        ("10.3", ["sm_100f"], True),
        ("8.0", ["sm_86"], False),
        ("gfx942", ["gfx90a", "gfx942"], True),
        ("gfx1100", ["gfx90a", "gfx942"], False),
    ],
)
def test_a_gpu_needs_kernels_of_its_major_version_or_ptx(capability, architectures, fits):
    """NVIDIA's rule of compatibility; AMD has no such rule, the name itself has to be there."""
    assert devices.kernels_fit(capability, architectures) is fits


@pytest.mark.parametrize(
    ("capability", "old"), [("6.1", True), ("7.5", False), ("12.1", False), ("gfx90a", False)]
)
def test_a_gpu_older_than_the_build_is_told_from_one_that_is_newer(capability, old):
    """The fix is an older build for the one, a newer for the other."""
    assert devices.older_than_all(capability, H200) is old


@pytest.mark.parametrize(
    ("answer", "status", "name"),
    [
        (b"Apple M2 Max", 0, "Apple M2 Max"),
        (b"Intel(R) Core(TM) i9", 0, "Apple GPU"),
        (b"Apple M2", -1, "Apple GPU"),
    ],
)
def test_the_chip_of_a_mac_is_what_macos_says(monkeypatch, answer, status, name):
    """torch calls it `mps`; where the system does not tell, it is an Apple GPU."""

    class System:
        @staticmethod
        def sysctlbyname(_what, into, *_rest):
            into.value = answer
            return status

    monkeypatch.setattr(devices.ctypes, "CDLL", lambda _: System)
    assert devices.describe(None, "mps")["name"] == name
