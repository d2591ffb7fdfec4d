"""docs/inventory.md says what the code does: the same facts, the same types, the same limits."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from torchdoctor.inventory import files, model
from torchdoctor.inventory.distributions import DISTRIBUTIONS
from torchdoctor.inventory.model import SCHEMA
from torchdoctor.report.redact import redact

PAGE = (Path(__file__).parents[2] / "docs" / "inventory.md").read_text("utf-8")


def test_the_table_has_every_fact_with_its_type():
    """In the order of the class, none more and none less."""
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    told = {row.name: str(row.type) for row in fields(model.Inventory)}
    assert [(name, f"Fact[{kind}]") for name, kind in rows] == [
        (name, kind) for name, kind in told.items() if name not in ("python", "prefix")
    ]


def test_the_limits_are_those_of_the_code():
    """Numbers on the page and in the code are the same."""
    assert f"{files.ENTRIES:,} entries and {DISTRIBUTIONS:,} distributions" in PAGE
    assert f"up to {files.TEXT // 1024} KiB" in PAGE
    assert f"`schema` is {SCHEMA}" in PAGE


def test_every_placeholder_is_explained():
    """Those that the page names are those that redaction writes."""
    text = "/home/eve eve@h.example 10.1.2.3 aa:bb:cc:dd:ee:ff 8a1b2c3d-0011-2233-4455-66778899aabb token=x http://h.corp"
    text += " serial number: 12345 /home/eve/vision/.venv"
    assert set(re.findall(r"<\w+>", redact(text))) == set(re.findall(r"`(<\w+>)`", PAGE))
