"""The peak figures of GPUs, each with the document that it stands in."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from wheels_index import Peaks, all_peaks, gpus, peaks, unsourced

FIGURES = [field.name for field in fields(Peaks) if field.name.endswith(("_gb", "_gbs", "_tflops"))]


@pytest.mark.parametrize("row", all_peaks(), ids=lambda row: row.name)
def test_every_row_is_found_by_its_name_and_names_its_source(row):
    """A row has a figure or says why it has none, and the vendor's document and the day in either case."""
    assert peaks(row.name) == row
    assert row.note or any(getattr(row, name) is not None for name in FIGURES)
    assert row.source.startswith("https://")
    assert row.read_in.startswith("read 20")


@pytest.mark.parametrize("row", gpus(), ids=lambda row: row.name)
def test_a_figure_of_nvidias_names_its_document_and_when_it_was_read(row):
    """None of them is remembered."""
    found = peaks(row.name)
    if any(getattr(found, name) is not None for name in FIGURES[1:]):
        assert found.source.startswith("https://")
        assert found.read_in.startswith("read 20")
    assert found.bf16_tflops == row.bf16_tensor_dense_tflops


@pytest.mark.parametrize(
    ("name", "bandwidth"),
    [
        ("AMD Instinct MI300X", 5300),
        ("AMD Radeon RX 7900 XTX", 960),
        ("Radeon RX 9070", 640),
        ("Intel(R) Data Center GPU Max 1100", 1229),
        ("Apple M3 Ultra", 819),
        ("Apple M4 Max", None),
        ("NVIDIA GeForce RTX 4090", 1008),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
    ],
)
def test_names_as_torch_gives_them_are_found(name, bandwidth):
    """A laptop's GPU is another one, and a chip that is sold with two bandwidths has neither."""
    assert peaks(name).bandwidth_gbs == bandwidth


@pytest.mark.parametrize("name", ["", "AMD", "Radeon", "RX 9999", "Radeon RX 7900 XT", "Apple GPU", "M9"])
def test_a_name_that_is_not_surely_known_has_no_peaks(name):
    assert peaks(name) is None


def test_no_fact_is_without_a_source():
    """What comes with the package, all of it."""
    assert list(unsourced()) == []


@pytest.mark.parametrize(
    ("read_in", "is_source"),
    [
        ("pytorch/pytorch torch/_inductor/analysis/device_info.py at 00604d0f, which names it", True),
        ("https://example.org/gpus.html; owner/name docs/gpus.md (rounded)", True),
        ("a public survey of rented GPUs of 2026-09-26 that read it", False),
        ("https://example.org/gpus.html; a public copy of its table", False),
        ("iree-org/iree, which names it", False),
        ("", False),
    ],
)
def test_what_nobody_can_read_again_is_no_source_of_a_figure(tmp_path, read_in, is_source):
    """A page by its address or a file by repository and path, for AMD's, Intel's and Apple's rows and for NVIDIA's."""
    row = {"name": "X", "bandwidth_gbs": 1, "source": "https://example.org/x.pdf"}
    (tmp_path / "peaks.json").write_text(
        json.dumps({"gpus": [{**row, "date": "2026-12-01", "read_in": read_in}]})
    )
    found = {"figures_source": row["source"], "figures_checked": f"read 2026-12-01 in {read_in}"}
    (tmp_path / "gpus.json").write_text(json.dumps({"gpus": [{**row, **found}]}))
    lines = list(unsourced(tmp_path))
    assert [line.split(":")[0] for line in lines] == (
        [] if is_source else ["gpus.json gpus X", "peaks.json gpus X"]
    )
