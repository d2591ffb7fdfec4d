"""A machine from a few words: platform tag, Python, driver, GPUs, C library."""

from __future__ import annotations

import pytest

from torchdoctor.detect import AmdGpu, IntelGpu, Libc, machine_from_options
from torchdoctor.errors import UsageError
from torchdoctor.resolve.amd_intel import is_supported_intel_gpu


def machine(platform="linux", python_version="3.12", driver=None, gpus=(), libc=None):
    return machine_from_options(
        platform=platform, python_version=python_version, driver=driver, gpus=gpus, libc=libc
    )


@pytest.mark.parametrize(
    ("tag", "system", "arch", "libc"),
    [
        ("win_amd64", "windows", "x86_64", None),
        ("win_arm64", "windows", "arm64", None),
        ("linux", "linux", "x86_64", Libc(name="glibc", version="2.28")),
        ("linux_aarch64", "linux", "aarch64", Libc(name="glibc", version="2.28")),
        ("manylinux2014_x86_64", "linux", "x86_64", Libc(name="glibc", version="2.17")),
        ("manylinux_2_34_aarch64", "linux", "aarch64", Libc(name="glibc", version="2.34")),
        ("musllinux_1_2_x86_64", "linux", "x86_64", Libc(name="musl", version="1.2")),
        ("macosx_14_0_arm64", "macos", "arm64", None),
        ("macos", "macos", "arm64", None),
    ],
)
def test_a_platform_tag_names_system_processor_and_c_library(tag, system, arch, libc):
    """As wheels are tagged."""
    found = machine(tag)
    assert (found.os, found.arch, found.libc) == (system, arch, libc)


def test_a_32_bit_platform_has_a_32_bit_python():
    """On Windows and on Linux."""
    assert machine("win32").python.bits == machine("manylinux_2_17_i686").python.bits == 32


@pytest.mark.parametrize(
    ("text", "version", "free_threaded"),
    [
        ("3.12", "3.12", False),
        ("3.13.2t", "3.13.2", True),
        ("cp310", None, None),
        ("python3.11", "3.11", False),
    ],
)
def test_a_python_is_a_version(text, version, free_threaded):
    """With a t for a free-threaded one."""
    if version is None:
        with pytest.raises(UsageError, match="--python-version"):
            machine(python_version=text)
        return
    python = machine(python_version=text).python
    assert (python.version, python.free_threaded) == (version, free_threaded)


def test_a_gpu_is_of_the_vendor_that_its_name_says():
    """A gfx target is AMD's, Arc is Intel's, a capability or another name is NVIDIA's."""
    found = machine(gpus=("gfx1100", "Intel Arc B580", "RTX 4090", "8.6", "sm_90"), driver="580.65.06")
    assert found.amd.gpus == (AmdGpu(gfx="gfx1100"),)
    assert found.intel.gpus == (IntelGpu(name="Intel Arc B580"),)
    assert [card.compute_capability for card in found.nvidia.gpus] == ["8.9", "8.6", "9.0"]
    assert found.nvidia.driver == "580.65.06"


def test_a_product_of_any_vendor_is_understood_by_its_name():
    """AMD's has its target, Apple's is the chip of the Mac."""
    found = machine(gpus=("RX 7900 XTX", "RTX 4090 Laptop GPU", "M3"))
    assert found.amd.gpus == (AmdGpu(name="RX 7900 XTX", gfx="gfx1100"),)
    assert found.nvidia.gpus[0].compute_capability == "8.9"
    assert found.apple.chip == "Apple M3"


@pytest.mark.parametrize("text", ["10de:2684", "[10DE:2684]", "0x10de:0x2684"])
def test_a_pci_id_stands_for_the_product_that_has_it(text):
    """As `lspci -nn` and the Device Manager show it."""
    (gpu,) = machine(gpus=(text,)).nvidia.gpus
    assert (gpu.name, gpu.compute_capability) == ("GeForce RTX 4090", "8.9")


def test_a_pci_id_of_amd_has_the_target_of_its_chip():
    """Several products share it, and the chip."""
    (gpu,) = machine(gpus=("1002:744c",)).amd.gpus
    assert gpu.gfx == "gfx1100"


def test_a_pci_id_that_nobody_has_is_refused():
    """It is not taken for a name."""
    with pytest.raises(UsageError, match="10de:ffff"):
        machine(gpus=("10de:ffff",))


def test_names_that_are_nearly_right_are_offered():
    """A misspelt product is one letter away."""
    with pytest.raises(UsageError) as caught:
        machine(gpus=("RX 7901 XTX",))
    assert "RX 7900" in caught.value.fix


def test_a_name_that_stands_for_several_gpus_is_told_what_decides():
    """The capability of each, which `--gpu` takes as well."""
    with pytest.raises(UsageError, match=r"several GPUs: GeForce GT 730 \(2\.1, 3\.0, 3\.5\)"):
        machine(gpus=("GT 730",))


@pytest.mark.parametrize("name", ["A770", "Ponte Vecchio", "Arc 140V", "Iris Xe", "Flex 170"])
def test_intels_gpus_are_known_as_intels(name):
    """What PyTorch supports carries the name by which that is known."""
    found = machine(gpus=(name,)).intel
    assert found is not None
    assert is_supported_intel_gpu(found.gpus[0].name) == (name not in ("Iris Xe", "Flex 170"))


def test_without_gpus_and_driver_there_is_no_vendor():
    """A machine for the CPU build."""
    found = machine()
    assert (found.nvidia, found.amd, found.intel) == (None, None, None)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"platform": "beos_x86"}, "--platform"),
        ({"python_version": "three"}, "--python-version"),
        ({"driver": "r550"}, "--driver"),
        ({"gpus": ("Voodoo 2",)}, "--gpu"),
        ({"gpus": (" ",)}, "--gpu"),
        ({"libc": "uclibc"}, "--libc"),
    ],
)
def test_what_cannot_be_read_names_its_option(options, option):
    """With what to write instead."""
    with pytest.raises(UsageError) as caught:
        machine(**options)
    assert option in caught.value.message
    assert caught.value.fix
