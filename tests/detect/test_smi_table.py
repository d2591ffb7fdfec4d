"""The table and the list of nvidia-smi, on texts that people pasted; the recorded machines hold more of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.detect.nvidia.smi_table import parse_smi_list, parse_smi_table

# https://github.com/Dao-AILab/flash-attention/issues/1563: under WSL the tool is older than the driver.
WSL = """\
| NVIDIA-SMI 570.124.06             Driver Version: 572.70         CUDA Version: 12.8     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
|   0  NVIDIA GeForce RTX 5090        On  |   00000000:0B:00.0  On |                  N/A |
| 80%   34C    P1             84W /  600W |    4735MiB /  32607MiB |      1%      Default |
|                                         |                        |                  N/A |
"""
# https://github.com/cBio/cbio-cluster/issues/144
TITAN = """\
| NVIDIA-SMI 340.29     Driver Version: 340.29         |
|   0  GeForce GTX TITAN   Off  | 0000:03:00.0     N/A |                  N/A |
| 57%   79C    P0    N/A /  N/A |    362MiB /  6143MiB |     N/A    E. Thread |
"""
# https://github.com/OE4T/linux-tegra-5.10/issues/17
TEGRA = """\
| NVIDIA-SMI 540.3.0                Driver Version: N/A          CUDA Version: 12.2     |
|   0  Orin (nvgpu)                  N/A  | N/A              N/A |                  N/A |
| N/A   N/A  N/A               N/A /  N/A | Not Supported        |     N/A          N/A |
"""


def test_the_head_names_the_driver_and_not_the_tool():
    """Under WSL the driver is Windows' own, whose number is the second."""
    table = parse_smi_table(WSL)
    assert table is not None
    assert (table.driver, table.cuda, table.gpus[0].memory_mib) == ("572.70", "12.8", 32607)
    assert (table.gpus[0].state.power_limit, table.gpus[0].state.mig) == (600.0, None)


def test_an_old_table_is_read():
    """Ten years ago there was no CUDA version and no MIG, and a mode that is gone."""
    table = parse_smi_table(TITAN)
    assert table is not None
    assert (table.driver, table.cuda) == ("340.29", None)
    state = table.gpus[0].state
    assert (state.bus_id, state.compute_mode, state.memory_used, state.power_limit) == (
        "0000:03:00.0",
        "exclusive-thread",
        362,
        None,
    )


def test_a_driver_that_is_not_told_is_unknown():
    """A Jetson says N/A."""
    table = parse_smi_table(TEGRA)
    assert table is not None
    assert (table.driver, table.cuda, [gpu.name for gpu in table.gpus]) == (None, "12.2", ["Orin (nvgpu)"])


@pytest.mark.parametrize(
    "text", ["", "NVIDIA-SMI has failed", "| GPU  Name |", "NVIDIA-SMI x Driver Version: y"]
)
def test_another_text_is_no_table(text):
    """No head, no table."""
    assert parse_smi_table(text) is None


def test_a_slice_belongs_to_the_gpu_above_it():
    """The second GPU's slices are the second's."""
    text = (
        "GPU 0: NVIDIA A100 80GB PCIe (UUID: GPU-41255406-c9af-f94b-4ebf-9d57ad1853da)\n"
        "GPU 1: NVIDIA A100 80GB PCIe (UUID: GPU-41255406-c9af-f94b-4ebf-9d57ad1853db)\n"
        "  MIG 2g.20gb     Device  0: (UUID: MIG-a65afc88-50b5-5ccf-b0a8-f93b3247ae9e)\n"
    )
    first, second = parse_smi_list(text)
    assert (first.slices, second.slices[0].gpu) == ((), 1)


@pytest.mark.fuzz
def test_a_flood_of_rows_ends():
    """A thousand GPUs and a hundred thousand slices are cut, soon."""
    table = parse_smi_table(WSL + WSL[WSL.index("|   0") :] * 1500)
    assert table is not None
    assert len(table.gpus) == 1024
    listed = parse_smi_list("GPU 0: A\n" + "  MIG 1g.5gb Device 0:\n" * 100_000)
    assert len(listed[0].slices) == 64


cells = st.sampled_from(
    ["|", "N/A", "On", "Off", "00000000:0B:00.0", "P0", "34C", "7MiB / 9MiB", "1%", "Default", "0", "\n"]
)  # fmt: skip


@given(st.lists(cells | st.text(max_size=5), max_size=40).map("  ".join))
def test_no_text_breaks_the_readers(text):
    """Pieces of a table in any order give a table, and one that is none gives none."""
    table = parse_smi_table(f"NVIDIA-SMI 1.23 Driver Version: 550.1 {text}")
    assert table is not None
    assert all(gpu.name for gpu in table.gpus)
    parse_smi_list(text)
