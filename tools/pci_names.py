"""Write the names of the display devices of NVIDIA, AMD and Intel from a pci.ids file into the package's data.

Usage: python tools/pci_names.py /usr/share/misc/pci.ids [FOLDER]
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "torchdoctor" / "detect" / "data"
SOURCE = "pci.ids of the PCI ID Project, https://pci-ids.ucw.cz/ (3-clause BSD), by Debian's package pci.ids"
# pci.ids does not say a device's class: what its name says has to do.
OTHER = re.compile(
    r"audio|bridge|\bhub\b|usb|sata|ethernet|smbus|\bide\b|memory controller|system controller|raid|ac97|modem|"
    r"switch|host|thermal|\bagp\b|\bdma\b|co-processor|signal processing|ucsi|i2c|spi\b",
    re.IGNORECASE,
)
WANTED = {
    "10de": re.compile(r"\[.+\]"),
    "1002": re.compile(r"radeon|instinct|firepro|graphics|\[mi\d|\bmi\d{2,3}", re.IGNORECASE),
    "8086": re.compile(r"graphics|\barc\b|\bgpu\b|\biris\b", re.IGNORECASE),
}


def main() -> None:
    """Write one file a vendor."""
    text = Path(sys.argv[1]).read_text("utf-8")
    folder = Path(sys.argv[2]) if sys.argv[2:] else FOLDER
    date = re.search(r"^#\s+Date:\s+(\S+)", text, re.MULTILINE)
    for vendor, wanted in WANTED.items():
        section = re.search(rf"^{vendor}  [^\n]*\n((?:[\t#][^\n]*\n|\n)*)", text, re.MULTILINE)
        rows = re.findall(r"^\t([0-9a-f]{4})  ([^\n]+)$", section[1] if section else "", re.MULTILINE)
        names = {device: name for device, name in rows if wanted.search(name) and not OTHER.search(name)}
        switches = {device: name for device, name in rows if "NVSwitch" in name}
        table = {"source": SOURCE, "date": date[1] if date else None, "names": names, "switches": switches}
        path = folder / f"pci-{vendor}.json"
        path.write_text(json.dumps(table, ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8")
        print(f"{path.name}: {len(names)} devices")


if __name__ == "__main__":
    main()
