"""Architecture lists: which GPU a build has code for."""

import pytest
from packaging.version import Version

from wheels_index import ArchList, arch_list, covers, nearest_arch_list


def _archs(*sm, ptx=()):
    return ArchList(sm=sm, ptx=tuple(ptx), confidence="high", source="test")


@pytest.mark.parametrize(
    ("code", "device", "answer"),
    [
        ((8, 0), (8, 6), "native"),
        ((8, 0), (8, 9), "native"),
        ((8, 6), (8, 0), None),
        ((9, 0), (10, 0), None),
        ((10, 0), (12, 0), None),
        ((12, 0), (12, 1), "native"),
        ((6, 0), (6, 1), "native"),
        ((10, 0), (10, 3), "native"),
    ],
)
def test_code_runs_on_its_major_from_its_minor_on(code, device, answer):
    """Native code runs on a device of the same major whose minor is not below."""
    assert covers(_archs(code), device, toolkit=(12, 8)) == answer


@pytest.mark.parametrize(
    ("code", "device"),
    [
        ((8, 0), (8, 7)),
        ((8, 6), (8, 7)),
        ((7, 0), (7, 2)),
        ((6, 0), (6, 2)),
        ((5, 0), (5, 3)),
        ((10, 0), (10, 1)),
    ],
)
def test_jetsons_do_not_run_server_code_before_cuda_13_2(code, device):
    """The exclusions hold below CUDA 13.2 and where the toolkit is not known."""
    assert covers(_archs(code), device, toolkit=(12, 6)) is None
    assert covers(_archs(code), device, toolkit=(13, 0)) is None
    assert covers(_archs(code), device, toolkit=None) is None


def test_orin_runs_server_code_from_cuda_13_2():
    """CUDA 13.2 lifts the exclusion for Jetson Orin."""
    assert covers(_archs((8, 0)), (8, 7), toolkit=(13, 2)) == "native"


def test_ptx_serves_newer_devices_and_native_goes_first():
    """PTX runs on any newer device, which the caller must check against the driver; native code is preferred."""
    archs = _archs((9, 0), (12, 0), ptx=[(12, 0)])
    assert covers(archs, (13, 0), toolkit=(12, 8)) == "ptx"
    assert covers(archs, (12, 0), toolkit=(12, 8)) == "native"
    assert covers(archs, (10, 0), toolkit=(12, 8)) is None


@pytest.mark.parametrize(
    ("torch", "variant", "volta"),
    [
        ("2.7.1", "cu128", None),
        ("2.8.0", "cu128", "native"),
        ("2.10.0", "cu128", "native"),
        ("2.11.0", "cu128", None),
        ("2.14.1", "cu126", "native"),
    ],
)
def test_volta_came_back_to_cu128_and_left_again(torch, variant, volta):
    """cu128 has no sm_70 in 2.7, has it in 2.8 to 2.10, and not from 2.11; cu126 has it to the end."""
    archs = arch_list(Version(torch), variant, "linux_x86_64")
    assert archs is not None
    assert covers(archs, (7, 0), toolkit=(12, 8)) == volta


def test_windows_builds_have_their_own_lists():
    """Torch 2.4.1+cu118 has PTX on Windows and none on Linux."""
    windows = arch_list(Version("2.4.1"), "cu118", "windows_x86_64")
    linux = arch_list(Version("2.4.1+cu118"), "cu118", "linux_x86_64")
    assert windows is not None
    assert linux is not None
    assert (windows.ptx, linux.ptx) == (((3, 7),), ())


@pytest.mark.parametrize("variant", ["cpu", "rocm6.4", "cu999", "", "x" * 1000])
def test_an_unknown_build_has_no_list(variant):
    """What is not known is None, not an empty list."""
    assert arch_list(Version("2.9.0"), variant, "linux_x86_64") is None


def test_a_newer_build_takes_the_nearest_list_by_name():
    """A build newer than the data gets the list of the nearest one of its CUDA major, and says which."""
    newer_torch = nearest_arch_list(Version("2.99.0"), "cu132", "linux_x86_64")
    newer_variant = nearest_arch_list(Version("2.99.0"), "cu136", "linux_x86_64")
    assert newer_torch is not None
    assert newer_variant is not None
    assert newer_torch.rule == newer_variant.rule == "GPU code as in torch 2.15.0 cu132 on linux_x86_64"


def test_a_known_build_takes_no_rule_and_a_new_major_has_none():
    """The own list is the nearest; a CUDA major without any list stays unknown."""
    own = nearest_arch_list(Version("2.4.1"), "cu124", "linux_x86_64")
    assert own is not None
    assert own.rule is None
    assert nearest_arch_list(Version("2.99.0"), "cu140", "linux_x86_64") is None
    assert nearest_arch_list(Version("2.99.0"), "not a variant", "linux_x86_64") is None
