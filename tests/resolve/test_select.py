"""Which build fits which machine, and why: one machine a test, checked against the published facts."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from tests.resolve.machines import GTX_1080, RTX_4090, RTX_5090, V100, linux
from torchdoctor.detect import Amd, AmdGpu, Apple, Intel, IntelGpu, Libc, Machine, Python
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request, rank
from wheels_index import bundled


def best(machine, **request):
    ranking = rank(machine, Request(**request), bundled())
    return ranking.candidates[0], ranking


def test_without_a_gpu_the_newest_cpu_build_is_chosen():
    """No accelerator was found, and the reason says so."""
    found, _ = best(linux())
    assert (str(found.torch), found.variant) == ("2.15.0", "cpu")
    assert "no GPU that PyTorch can use was found" in found.reasons[-1]


def test_a_new_driver_gets_the_newest_release_and_toolkit():
    """Driver 580 and later run CUDA 13."""
    found, _ = best(linux(RTX_4090, driver="580.65.06"))
    assert (str(found.torch), found.variant) == ("2.15.0", "cu132")


def test_a_driver_of_the_550_branch_stops_at_the_last_cuda_12_release():
    """torch 2.15 has no CUDA 12 build, and CUDA 13 needs driver 580."""
    found, ranking = best(linux(RTX_4090, driver="550.54.15"))
    assert (str(found.torch), found.variant) == ("2.14.1", "cu126")
    reasons = {row.variant: row.reason for row in ranking.rejected}
    assert reasons["cu130"] == "cu130 needs driver ≥ 580; this machine has 550.54.15"


def test_a_pascal_gpu_with_a_new_driver_gets_the_build_that_has_its_code():
    """The driver satisfies CUDA 13, and no CUDA 13 build has code for compute capability 6.1."""
    found, ranking = best(linux(GTX_1080, driver="580.95.05"))
    assert (str(found.torch), found.variant) == ("2.14.1", "cu126")
    reasons = {row.variant: row.reason for row in ranking.rejected}
    assert "no code for NVIDIA GeForce GTX 1080 (compute capability 6.1)" in reasons["cu132"]


def test_two_generations_get_a_build_that_has_code_for_both():
    """V100 and RTX 5090 meet in cu128 and cu129 of 2.8 to 2.10."""
    found, _ = best(linux(V100, RTX_5090, driver="580.65.06"))
    assert (str(found.torch), found.variant) == ("2.10.0", "cu129")
    assert found.warnings == ()


def test_when_no_build_fits_both_gpus_the_more_capable_one_decides():
    """GTX 1080 and RTX 5090 have no build in common; the warning names the one left out."""
    found, _ = best(linux(GTX_1080, RTX_5090, driver="580.65.06"))
    assert found.variant == "cu132"
    assert "NVIDIA GeForce GTX 1080" in found.warnings[0]


def test_an_old_driver_gets_an_older_cuda_build_rather_than_the_cpu():
    """Driver 470 runs CUDA 11.8, which torch had up to 2.7.1."""
    found, _ = best(linux(RTX_4090, driver="470.256.02"))
    assert (str(found.torch), found.variant) == ("2.7.1", "cu118")


def test_driver_versions_are_compared_part_by_part():
    """525.53 is older than 525.60.13, though its text sorts after it."""
    assert best(linux(RTX_4090, driver="525.53"))[0].variant == "cu118"
    assert best(linux(RTX_4090, driver="525.60.13"))[0].variant == "cu126"


def test_under_wsl_the_windows_minimum_holds():
    """The driver in WSL is the Windows one: 527.41 is enough on Linux and not there."""
    assert best(linux(RTX_4090, driver="527.41", wsl=True))[0].variant == "cu118"
    assert best(linux(RTX_4090, driver="527.41"))[0].variant == "cu126"


def test_a_driver_too_old_for_any_build_gives_cpu_and_the_version_to_update_to():
    """Falling to the CPU is never silent."""
    found, _ = best(linux(RTX_4090, driver="390.157"))
    assert found.variant == "cpu"
    assert "update the NVIDIA driver to 580 or newer (at least 450.80.02)" in found.warnings[0]


def test_blackwell_needs_its_own_driver():
    """The minimum driver of CUDA 12 predates the GPU: 12.0 needs 570.26 on Linux."""
    found, _ = best(linux(RTX_5090, driver="560.35.03"))
    assert found.variant == "cpu"
    assert "update the NVIDIA driver to 580 or newer (at least 570.26)" in found.warnings[0]


def test_a_gpu_without_a_driver_gives_cpu_and_says_so():
    """A GPU on the bus with no driver cannot be used."""
    found, _ = best(linux(RTX_4090))
    assert found.variant == "cpu"
    assert found.warnings


def test_the_newest_toolkit_is_not_taken_for_a_python_it_has_no_wheel_for():
    """torch 2.15 dropped Python 3.10."""
    assert str(best(linux(python="3.10.13"))[0].torch) == "2.14.1"


def test_an_old_glibc_stops_at_the_releases_built_for_it():
    """From 2.7 on wheels need glibc 2.28; the CPU build of 2.6 needs 2.17."""
    found, _ = best(linux(glibc="2.17", python="3.11.9"))
    assert str(found.torch) == "2.6.0"


def test_musl_has_no_wheel_at_all():
    """Alpine gets an explanation, not a wheel that cannot load."""
    with pytest.raises(NoSolution, match="musl") as caught:
        best(linux(libc=Libc(name="musl", version="1.2.5")))
    assert "glibc" in caught.value.fix


@pytest.mark.parametrize("python", ["3.7.17", "3.99.0", "2.7.18"])
def test_a_python_without_builds_is_no_solution(python):
    """The message names the Python and what there is."""
    with pytest.raises(NoSolution, match="has no build for Python") as caught:
        best(linux(python=python))
    assert "--python" in caught.value.fix


def test_pypy_is_no_solution():
    """There are wheels for CPython only."""
    with pytest.raises(NoSolution, match="CPython only"):
        best(Machine(os="linux", arch="x86_64", python=Python(version="3.11.9", implementation="pypy")))


def test_a_32_bit_python_is_no_solution():
    """No release has 32-bit builds."""
    with pytest.raises(NoSolution, match="32-bit Python"):
        best(Machine(os="windows", arch="x86_64", python=Python(version="3.12.4", bits=32)))


def test_an_intel_mac_ends_with_2_2_2():
    """The last release with x86_64 builds for macOS."""
    found, _ = best(Machine(os="macos", arch="x86_64", os_version="13.6", python=Python(version="3.11.9")))
    assert (str(found.torch), found.variant) == ("2.2.2", "cpu")


def test_an_apple_chip_gets_the_macos_build():
    """Its GPU is reached through MPS in the one build there is."""
    machine = Machine(
        os="macos",
        arch="arm64",
        os_version="15.1",
        python=Python(version="3.12.4"),
        apple=Apple(chip="Apple M2"),
    )
    assert best(machine)[0].variant == "cpu"


def test_a_radeon_gets_rocm_and_an_older_one_the_build_its_libraries_still_serve():
    """gfx1100 is in the newest build; rocBLAS has no kernels for gfx906 from ROCm 6.4 on."""
    new, _ = best(linux(amd=Amd(gpus=(AmdGpu(name="Radeon RX 7900 XTX", gfx="gfx1100"),))))
    old, _ = best(linux(amd=Amd(gpus=(AmdGpu(name="Instinct MI50", gfx="gfx906"),))))
    assert (new.variant, "194919" in (new.doubt or "")) == ("rocm10.0", True)
    assert (str(old.torch), old.variant) == ("2.9.1", "rocm6.3")


def test_an_integrated_intel_gpu_is_not_taken_for_a_supported_one():
    """UHD and Iris Xe start and are not supported; Arc is."""
    assert best(linux(intel=Intel(gpus=(IntelGpu(name="Intel UHD Graphics 770"),))))[0].variant == "cpu"
    assert best(linux(intel=Intel(gpus=(IntelGpu(name="Intel Arc B580"),))))[0].variant == "xpu"


def test_nvidia_decides_over_an_integrated_gpu():
    """A laptop with both gets the CUDA build."""
    machine = linux(RTX_4090, driver="580.65.06", intel=Intel(gpus=(IntelGpu(name="Intel Arc Graphics"),)))
    assert best(machine)[0].variant == "cu132"


def test_a_variant_asked_for_is_given_with_a_warning_where_it_does_not_fit():
    """Images are built on machines without a GPU."""
    found, _ = best(linux(), variant="cu126")
    assert (str(found.torch), found.variant) == ("2.14.1", "cu126")
    assert "needs an NVIDIA GPU" in found.warnings[0]


def test_a_variant_that_the_release_does_not_have_is_no_solution():
    """torch 2.15 has no cu126."""
    with pytest.raises(NoSolution, match=r"torch 2\.15\.0 and variant cu126 together"):
        best(linux(), variant="cu126", torch=SpecifierSet("==2.15.0"))


def test_a_pin_is_kept():
    """The release asked for, in its best variant."""
    found, _ = best(linux(RTX_4090, driver="560.35.03"), torch=SpecifierSet("==2.9.1"))
    assert (str(found.torch), found.variant) == ("2.9.1", "cu129")


def test_a_release_that_does_not_exist_offers_some_that_do():
    """The fix names releases."""
    with pytest.raises(NoSolution, match=r"no torch release matches ==9\.9") as caught:
        best(linux(), torch=SpecifierSet("==9.9"))
    assert "2.15.0" in caught.value.fix


def test_companions_belong_to_the_release():
    """torchvision follows torch's pair table."""
    found, _ = best(linux(), torch=SpecifierSet("==2.4.1"))
    pairs = {row.project: [str(version) for version in row.versions] for row in found.companions}
    assert pairs == {"torchvision": ["0.19.1"], "torchaudio": ["2.4.1"]}
