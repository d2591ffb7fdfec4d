"""The peak figures of GPUs, each with the document that it stands in."""

from __future__ import annotations

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
        ("Radeon RX 7900 XT", 800),
        ("Intel(R) Data Center GPU Max 1100", 1228.8),
        ("Apple M3 Ultra", 819),
        ("Apple M4 Max", None),
        ("NVIDIA GeForce RTX 4090", 1008),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
    ],
)
def test_names_as_torch_gives_them_are_found(name, bandwidth):
    """A laptop's GPU is another one, and a chip that is sold with two bandwidths has neither."""
    assert peaks(name).bandwidth_gbs == bandwidth


@pytest.mark.parametrize("name", ["", "AMD", "Radeon", "RX 9999", "Apple GPU", "M9"])
def test_a_name_that_is_not_surely_known_has_no_peaks(name):
    assert peaks(name) is None


def test_no_fact_is_without_a_source():
    """What comes with the package, all of it."""
    assert list(unsourced()) == []
