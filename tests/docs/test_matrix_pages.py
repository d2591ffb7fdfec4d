"""The pages of releases, variants and GPUs answer what somebody looks for, and say why and by whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wheels_index import bundled
from wheels_index.matrix import matrix

FOLDER = Path(__file__).parents[2] / "docs" / "matrix"


def sections(name):
    """The text below each heading of a page."""
    parts = re.split(r"^## (.+)$", (FOLDER / name).read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_release_and_every_variant_has_a_section_with_its_source():
    """Nothing is left out, and nothing is said without a source."""
    releases = sections("releases.md")
    assert [f"torch {version}" for version in bundled().versions()] == list(releases)[:-1]
    assert all("- Sources: " in text for name, text in releases.items() if name.startswith("torch "))
    variants = sections("variants.md")
    assert [row.variant for row in matrix().variants] == list(variants)
    assert all("- Source: " in text for text in variants.values())


@pytest.mark.parametrize(
    ("gpu", "words"),
    [
        (
            "GeForce GTX 1080 Ti",
            ("torch 2.14.1+cu126", "Not cu130: ", "Drivers after the 580 branch", "- Source: "),
        ),
        ("GeForce RTX 5090", ("linux_x86_64", "2.13.0+cu129", "- Source: ")),
        ("Tesla K80", ("torch 2.7.1+cu118", "Drivers after the 470 branch")),
        ("Jetson TX2", ("linux_aarch64", "has no code for a GPU of compute capability 6.2")),
        ("Radeon RX 7900 XTX", ("rocm7.2", "has code for gfx1100")),
        ("Radeon RX 6700 XT", ("not known to have code", "HSA")),
    ],
)
def test_a_gpu_is_found_by_its_name_with_the_pytorch_that_runs_on_it(gpu, words):
    """In one section: the build, why not a newer one, the last driver, the source."""
    found = [
        text for text in sections("gpus.md").values() if re.search(rf"(^|, ){gpu}[,.]", text, re.MULTILINE)
    ]
    assert len(found) == 1
    assert [word for word in words if word not in found[0]] == []


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_has_no_html_and_every_table_row_as_many_cells(page):
    """What the data say is text: a stroke or a bracket in it makes no cell and no tag."""
    text = page.read_text("utf-8")
    assert re.findall(r"<[a-z/]", text) == []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
