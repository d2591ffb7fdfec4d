"""Whether the machine has a GPU that a build is for."""

from __future__ import annotations

import sys

import pytest

from torchdoctor.probe.hardware import has_gpu_of, maker_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads Linux's files")


def put(root, number, vendor, kind):
    """A device on the PCI bus."""
    device = root / "sys/bus/pci/devices" / f"0000:00:0{number}.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")


@pytest.mark.parametrize(
    ("build", "maker"), [("cu130", "NVIDIA"), ("rocm7.2", "AMD"), ("xpu", "Intel"), ("unknown", "NVIDIA")]
)
def test_a_build_is_for_the_gpus_of_one_maker(build, maker):
    """torch calls AMD's and NVIDIA's both `cuda`."""
    assert maker_for(build) == maker


def test_a_gpu_of_another_maker_and_another_device_of_the_maker_do_not_count(tmp_path):
    """The graphics of an Intel processor, NVIDIA's sound on a graphics card."""
    put(tmp_path, 1, "0x8086", "0x030000")
    put(tmp_path, 2, "0x10de", "0x040300")
    assert (has_gpu_of("NVIDIA", tmp_path), has_gpu_of("Intel", tmp_path)) == (False, True)
    put(tmp_path, 3, "0x10de", "0x030200")
    assert has_gpu_of("NVIDIA", tmp_path)


@pytest.mark.parametrize("node", ["nvidia0", "dxg", "nvmap"])
def test_a_driver_s_device_node_is_a_gpu(tmp_path, node):
    """A virtual machine or a container can have one without showing the bus."""
    (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
    assert not has_gpu_of("NVIDIA", tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / node).touch()
    assert has_gpu_of("NVIDIA", tmp_path)


def test_a_bus_that_cannot_be_read_may_have_one(tmp_path):
    """Unknown is not called none."""
    assert has_gpu_of("NVIDIA", tmp_path)
