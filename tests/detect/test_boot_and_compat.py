"""Secure Boot, the IOMMU and cuda-compat, from files and variables."""

from __future__ import annotations

import pytest

from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.detect.host.secure_boot import probe_secure_boot
from torchdoctor.detect.nvidia.driver_install import probe_install
from torchdoctor.detect.nvidia.toolkit import probe_toolkits

VARIABLE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
CARD = "/sys/bus/pci/devices/0000:%s:00.0"


@pytest.mark.parametrize(("last", "value"), [("\x01", True), ("\x00", False)])
def test_the_last_byte_says_whether_it_is_on(last, value):
    """Behind four bytes of attributes."""
    assert probe_secure_boot(RecordedSystem(files={VARIABLE: f"\x06\0\0\0{last}"})).value is value


def test_without_the_variable_nothing_is_claimed():
    """Absent without UEFI, unknown where the variable is of another form or not readable."""
    assert probe_secure_boot(RecordedSystem()).state == "absent"
    for text in ("", "\x06\0\0\0", "\x06\0\0\0\x07", "enabled"):
        assert probe_secure_boot(RecordedSystem(files={VARIABLE: text})).state == "unknown"
    assert probe_secure_boot(RecordedSystem(files={f"{VARIABLE}x": "1"})).state == "unknown"


def test_the_iommu_says_how_it_treats_each_gpu():
    """In the order of the bus; a GPU without a group has none."""
    files = {}
    for slot, kind in (("01", "DMA-FQ\n"), ("02", None)):
        place = CARD % slot
        files |= {
            f"{place}/vendor": "0x10de\n",
            f"{place}/device": "0x2684\n",
            f"{place}/class": "0x030000\n",
        }
        files |= {f"{place}/iommu_group/type": kind} if kind else {}
    fact = probe_install(RecordedSystem(files=files), paper_python())["nvidia.iommu"]
    assert fact.value == ("DMA-FQ", None)
    assert probe_install(RecordedSystem(), paper_python())["nvidia.iommu"].state == "absent"


@pytest.mark.parametrize(
    ("variable", "found"),
    [
        ("/usr/local/cuda-12.4/compat:/usr/lib", "/usr/local/cuda-12.4/compat/libcuda.so.1"),
        ("/usr/local/cuda/compat/lib", "/usr/local/cuda/compat/lib/libcuda.so.1"),
        ("/opt/driver:/usr/local/cuda-12.4/compat", None),
        ("compat:/home/u/compat", None),
        ("", None),
    ],
)
def test_a_compat_library_counts_where_it_comes_first(variable, found):
    """By the folder that its package has."""
    folders = ("/usr/local/cuda-12.4/compat", "/usr/local/cuda/compat/lib", "/opt/driver", "/home/u/compat")
    files = {f"{folder}/libcuda.so.1": "" for folder in folders}
    system = RecordedSystem(files=files, environ={"LD_LIBRARY_PATH": variable})
    assert probe_toolkits(system, paper_python())["nvidia.compat_libcuda"].value == found
