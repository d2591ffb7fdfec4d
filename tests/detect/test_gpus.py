"""AMD's, Intel's and Apple's GPUs, and the PCI bus."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem, paper_python, said
from torchdoctor.core.system import HostSystem
from torchdoctor.detect import AmdGpu, Apple, IntelGpu
from torchdoctor.detect.amd.parsers import parse_kfd_properties
from torchdoctor.detect.amd.probe import probe_amd, probe_amd_driver
from torchdoctor.detect.apple import parse_brand, probe_apple
from torchdoctor.detect.intel import probe_all_intel
from torchdoctor.detect.pci import parse_pci_ids

NODES = "/sys/class/kfd/kfd/topology/nodes"
PROCESSOR = "cpu_cores_count 16\nsimd_count 0\ngfx_target_version 0\nvendor_id 0\ndevice_id 0\n"
NAVI_31 = "cpu_cores_count 0\nsimd_count 192\ngfx_target_version 110000\nvendor_id 4098\ndevice_id 29772\n"
PCI_IDS = """\
# Date: 2024-05-31
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t744c  Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]
\t\t1002 0e3b  RX 7900 GRE [XFX]
8086  Intel Corporation
\t56a0  DG2 [Arc A770]
\te20b  Battlemage G21 [Arc B580]
C 03  Display controller
"""


@pytest.mark.parametrize(
    ("number", "target"),
    [(110000, "gfx1100"), (90010, "gfx90a"), (90402, "gfx942"), (80003, "gfx803"), (100306, "gfx1036")],
)
def test_a_target_is_read_from_its_number(number, target):
    """Minor and stepping are hexadecimal in the name."""
    assert parse_kfd_properties(f"simd_count 1\ngfx_target_version {number}\ndevice_id 29772\n") == (
        target,
        "744c",
    )


def test_the_topology_names_each_gpu():
    """Processors are nodes too and are passed over; the name comes from the system's list of devices."""
    files = {f"{NODES}/0/properties": PROCESSOR, f"{NODES}/1/properties": NAVI_31}
    named = AmdGpu(name="AMD Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]", gfx="gfx1100")
    assert probe_amd(RecordedSystem(files=files)).value == (named,)
    files[f"{NODES}/1/properties"] = NAVI_31.replace("29772", "65534")
    assert probe_amd(RecordedSystem(files=files)).value == (AmdGpu(gfx="gfx1100"),)
    files["/usr/share/misc/pci.ids"] = PCI_IDS.replace("744c", "fffe")
    assert probe_amd(RecordedSystem(files=files)).value == (named,)


def test_without_a_gpu_there_is_no_amd():
    """No topology, or one with processors only."""
    assert probe_amd(RecordedSystem()).state == "absent"
    assert probe_amd(RecordedSystem(files={f"{NODES}/0/properties": PROCESSOR})).state == "absent"


def test_a_node_that_cannot_be_read_is_not_absence(tmp_path):
    """A container without the device may read the processor's node alone."""
    for node in ("0", "1"):
        (tmp_path / NODES[1:] / node).mkdir(parents=True)
    (tmp_path / NODES[1:] / "0" / "properties").write_text(PROCESSOR)
    (tmp_path / NODES[1:] / "1" / "properties").mkdir()
    fact = probe_amd(HostSystem(environ={"PATH": ""}, root=tmp_path))
    assert (fact.state, fact.why) == ("unknown", "a node cannot be read")


def test_the_kernels_own_amdgpu_has_no_version():
    """AMD's package has one, the kernel's driver has no such file."""
    assert probe_amd_driver(RecordedSystem()).state == "absent"
    assert (
        probe_amd_driver(RecordedSystem(files={"/sys/module/amdgpu/version": "6.10.5\n"})).value == "6.10.5"
    )
    assert probe_amd_driver(RecordedSystem(files={"/sys/module/amdgpu/version": "new\n"})).state == "unknown"


def _device(address: str, vendor: str, device: str, kind: str = "0x030000") -> dict[str, str]:
    folder = f"/sys/bus/pci/devices/{address}"
    return {
        f"{folder}/vendor": f"{vendor}\n",
        f"{folder}/device": f"{device}\n",
        f"{folder}/class": f"{kind}\n",
    }


def test_intels_gpus_are_named_by_the_list_of_devices():
    """A card that the list knows has its name, one that it does not has its ids; a network card is none."""
    files = {
        **_device("0000:00:02.0", "0x8086", "0xffff"),
        **_device("0000:03:00.0", "0x8086", "0xe20b", "0x038000"),
        **_device("0000:04:00.0", "0x8086", "0x1533", "0x020000"),
        "/usr/share/hwdata/pci.ids": PCI_IDS,
    }
    expected = (IntelGpu(name="Intel GPU [8086:ffff]"), IntelGpu(name="Intel Battlemage G21 [Arc B580]"))
    python = paper_python()
    assert probe_all_intel(RecordedSystem(files=files), python)["intel.gpus"].value == expected
    assert probe_all_intel(RecordedSystem(), python)["intel.gpus"].state == "absent"


def test_a_device_is_looked_up_under_its_own_vendor():
    """The same number under another vendor is another device."""
    assert parse_pci_ids(PCI_IDS, "8086", "56a0") == "DG2 [Arc A770]"
    assert parse_pci_ids(PCI_IDS, "1002", "56a0") is None
    assert parse_pci_ids("", "8086", "56a0") is None


@pytest.mark.parametrize(
    ("text", "chip"),
    [("Apple M2 Pro\n", "Apple M2 Pro"), ("Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz\n", None)],
)
def test_a_mac_says_its_chip(text, chip):
    """Apple's own, or none on an Intel Mac."""
    system = RecordedSystem(commands={"/usr/sbin/sysctl": said(text)})
    assert probe_apple(system).value == (Apple(chip=chip) if chip else None)


def test_a_mac_that_does_not_answer_is_unknown():
    """Without sysctl nothing is guessed."""
    assert probe_apple(RecordedSystem()).state == "unknown"


@given(st.text())
def test_no_text_breaks_a_reader(text):
    """Every reader gives a value or None."""
    parse_kfd_properties(text)
    parse_brand(text)
    parse_pci_ids(text, "8086", "56a0")
