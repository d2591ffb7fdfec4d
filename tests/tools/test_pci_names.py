"""The tool that takes the names of display devices from a pci.ids file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "pci_names.py"
DATA = Path(__file__).parents[2] / "torchdoctor" / "detect" / "data"
LIST = """\
#	Date:    2026-10-24 03:15:02
1002  Advanced Micro Devices, Inc. [AMD/ATI]
	744c  Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]
		1002 0e3b  RX 7900 GRE [XFX]
	ab30  Navi 31 HDMI/DP Audio
10de  NVIDIA Corporation
	22a3  GH100 [H100 NVSwitch]
	22ba  AD102 High Definition Audio Controller
	2684  AD102 [GeForce RTX 4090]
8086  Intel Corporation
	1533  I210 Gigabit Network Connection
	e20b  Battlemage G21 [Arc B580]
"""


@pytest.mark.process
def test_display_devices_and_switches_are_kept_and_others_left(tmp_path):
    """Sound and network are left; a board's own name is none of the chip's; date and source stand beside."""
    (tmp_path / "pci.ids").write_text(LIST)
    subprocess.run([sys.executable, TOOL, tmp_path / "pci.ids", tmp_path], check=True, capture_output=True)
    tables = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert {name: table["names"] for name, table in tables.items()} == {
        "pci-1002": {"744c": "Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]"},
        "pci-10de": {"2684": "AD102 [GeForce RTX 4090]"},
        "pci-8086": {"e20b": "Battlemage G21 [Arc B580]"},
    }
    assert tables["pci-10de"]["switches"] == {"22a3": "GH100 [H100 NVSwitch]"}
    assert tables["pci-10de"]["date"] == "2026-10-24"


def test_the_tables_of_the_package_name_their_source():
    """Each has where it is from, when, and names of the right form."""
    for path in sorted(DATA.glob("pci-*.json")):
        table = json.loads(path.read_text("utf-8"))
        assert table["source"].startswith("pci.ids")
        assert table["date"] >= "2026-10-24"
        assert len(table["names"]) > 300
        assert all(len(device) == 4 and name.isprintable() for device, name in table["names"].items())
