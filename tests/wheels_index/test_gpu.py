"""GPU names, as nvidia-smi prints them and as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheels_index import gpu, gpus


@pytest.mark.parametrize("row", gpus(), ids=lambda row: row.name)
def test_every_name_of_the_table_finds_its_row(row):
    """An exact name gives the row itself."""
    assert gpu(row.name) == row


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA GeForce RTX 4090", (8, 9)),
        ("RTX 4090", (8, 9)),
        ("rtx4090", (8, 9)),
        ("Tesla V100-SXM2-16GB", (7, 0)),
        ("Tesla V100-SXM3-32GB", (7, 0)),
        ("NVIDIA A100-SXM4-80GB", (8, 0)),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", (8, 0)),
        ("NVIDIA H100 80GB HBM3", (9, 0)),
        ("H100", (9, 0)),
        ("NVIDIA GH200 480GB", (9, 0)),
        ("GeForce GTX 1080 Ti", (6, 1)),
        ("gtx 1080ti", (6, 1)),
        ("GeForce GTX 1060 3GB", (6, 1)),
        ("T4", (7, 5)),
        ("NVIDIA GeForce RTX 4050 Laptop GPU", (8, 9)),
        ("DGX Spark", (12, 1)),
        ("Quadro RTX 6000", (7, 5)),
        ("NVIDIA RTX 6000 Ada Generation", (8, 9)),
        ("RTX 4090 Laptop GPU", (8, 9)),
        ("NVIDIA GeForce RTX 2080 with Max-Q Design", (7, 5)),
        ("RTX 5090 D", (12, 0)),
    ],
)
def test_names_people_use_find_the_capability(name, capability):
    """Vendor words, packaging and spacing may differ; the capability is that of the GPU."""
    found = gpu(name)
    assert found is not None
    assert found.compute_capability == capability


@pytest.mark.parametrize(
    "name",
    [
        "",
        "NVIDIA",
        "16GB",
        "RTX",
        "RTX 6000",
        "TITAN X",
        "RTX 9999",
        "AMD Radeon RX 7900 XTX",
    ],
)
def test_a_name_that_is_not_surely_known_finds_nothing(name):
    """A wrong guess is worse than none: families, and names that stand for GPUs of several generations, give None."""
    assert gpu(name) is None


def test_figures_are_given_only_where_the_name_decides_them():
    """An A100 may have 40 or 80 GB, a slice of it neither; only what all rows share is kept."""
    a100, v100 = gpu("A100"), gpu("V100")
    assert a100 is not None
    assert v100 is not None
    assert (a100.memory_gb, v100.memory_gb, v100.bandwidth_gbs) == (None, None, 900)
    sliced, other = gpu("NVIDIA A100-SXM4-40GB MIG 1g.5gb"), gpu("RTX 3080 12GB")
    assert sliced is not None
    assert other is not None
    assert (sliced.memory_gb, sliced.bandwidth_gbs, other.bandwidth_gbs) == (None, None, None)


@given(st.text(max_size=400))
def test_any_text_finds_a_gpu_or_none(name):
    """A name never raises."""
    assert gpu(name) is None or gpu(name) == gpu(name)
