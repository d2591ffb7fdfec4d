"""Write the GPU products of each vendor, by their chip, from the tables of PCI ids into wheels_index's data.

Usage: python tools/gpu_products.py; run it after tools/pci_names.py.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import layout

ROOT = Path(__file__).parents[1]
PCI = ROOT / "torchdoctor" / "detect" / "data"
PRODUCTS = ROOT / "wheels_index" / "data" / "products"
VENDORS = {"nvidia": "10de", "amd": "1002", "intel": "8086"}
# Boards and samples that nobody can buy.
NO_PRODUCT = re.compile(
    r"reserved|initial|int sku|generic|prod$|-a1$|^pg\d+|drive p\d|^gk\d|^d\d+m|samples?|skinny|^n\d\d",
    re.IGNORECASE,
)
FAMILY = re.compile(
    r"^(?:AMD )?((?:Mobility )?Radeon(?: AI)?(?: (?:PRO|Pro)(?: WX)?| RX(?: Vega)?| R\d| HD| Instinct)?"
    r"|FirePro|Instinct)\b"
)
# What so many chips are called that it says nothing.
GENERIC = re.compile(
    r"Radeon|Radeon Vega(?: Mobile)? Series|.*\bBarco\b.*|.*\bMXRT\b.*|(?:Intel )?(?:Iris )?Xe Graphics"
)
NVIDIA_FAMILY = re.compile(
    r"GeForce|Quadro|RTX|Tesla|GRID|TITAN|NVS|CMP|Jetson|DGX|HGX|DRIVE|(?:GH|GB|MX|AX|[ABHLPTV])\d",
    re.IGNORECASE,
)
INTEL_SUPPORTED = re.compile(r"\bArc\b|Data Center GPU Max")


def main() -> None:
    """Write one file a vendor: chip -> names."""
    PRODUCTS.mkdir(exist_ok=True)
    facts = json.loads((ROOT / "wheels_index" / "data" / "chips.json").read_text("utf-8"))
    for vendor, number in VENDORS.items():
        table = json.loads((PCI / f"pci-{number}.json").read_text("utf-8"))
        by_chip: dict[str, set[str]] = defaultdict(set)
        for text in table["names"].values():
            match = re.fullmatch(r"([^\[\]]+?) \[(.+)\](?: .*)?", text)
            if match is None:
                continue
            chip = chip_of(match[1], vendor)
            by_chip[chip].update(name for name in products_in(match[2]) if is_product(name, vendor))
        known = {chip for row in facts[vendor].get("chips", ()) for chip in row["chips"]} or set(by_chip)
        chips = {chip: sorted(names) for chip, names in sorted(by_chip.items()) if names and chip in known}
        document = {"as_of": "2026-11-30", "source": table["source"], "date": table["date"], "chips": chips}
        path = PRODUCTS / f"{vendor}.json"
        layout.write(path, document)
        print(f"{path.name}: {sum(map(len, chips.values()))} names of {len(chips)} chips")


def is_product(name: str, vendor: str) -> bool:
    """Whether it is the name of something that is sold, and on which torch can or could run."""
    if vendor == "intel" and not INTEL_SUPPORTED.search(name):
        return False
    if vendor == "nvidia" and not NVIDIA_FAMILY.match(name):
        return False
    return not NO_PRODUCT.search(name) and not GENERIC.fullmatch(name)


def chip_of(text: str, vendor: str) -> str:
    """The chip without what says how it is sold: `AD103M / GN21-X11` is AD103, `Navi 21 GL-XL` is Navi 21."""
    text = text.partition(" / ")[0]
    if vendor == "nvidia":
        sold_as = r"(?<=\d)(?:GLM|GL|M)$" if text.startswith("GB") else r"(?<=\d)(?:BGL|BM|GLM|GL|M|b|B)$"
        return re.sub(sold_as, "", text)
    if vendor == "amd":
        match = re.match(
            r"(Navi|Vega|Polaris) \d+|Strix Halo|Granite Ridge|Raven Ridge|Aqua Vanjaram|[\w/]+", text
        )
        return match[0] if match else text
    return re.sub(r" \(.*\)$", "", text)


def products_in(text: str) -> list[str]:
    """`Radeon RX 6600/6600 XT/6600M / PRO W6600` is four names; a word that stands alone belongs to the name before."""
    names: list[str] = []
    family = ""
    for part in re.split(r"\s*/\s*", text.strip()):
        found = FAMILY.match(part)
        family = found[1] if found else family
        name = part if found else _with_family(part, family, names)
        names.append(re.sub(r"\s+Graphics$", "", name) if family else name)
    return names


def _with_family(part: str, family: str, names: list[str]) -> str:
    """A part of a name that does not begin with its family."""
    if re.match(r"PRO |Pro ", part) and family:
        return f"Radeon {part}"
    if family and re.match(r"[A-Z]{0,3}\d", part):
        return f"{family} {part}"
    if names and re.fullmatch(r"(?:Mobile|Max-Q)(?: Refresh)?(?: \d+GB)?|\d+\s?GB", part):
        return f"{re.sub(r' (?:Mobile|Max-Q|[0-9]+ ?GB).*$', '', names[-1])} {part}"
    return f"Radeon {part}" if part.startswith("RX ") else part


if __name__ == "__main__":
    main()
