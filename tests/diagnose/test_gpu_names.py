"""GPUs are read in every form in which people name them, and what only looks like one is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import diagnose_text
from torchdoctor.diagnose.derived import capabilities
from torchdoctor.diagnose.gpu_generation import series_capability
from torchdoctor.diagnose.parsers.gpu_names import parse_gpu_names
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.text import plain_text
from wheels_index import products


def named(text):
    """Facts of the parser as pairs."""
    return [(fact.name, fact.value) for fact in parse_gpu_names(plain_text(text))]


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("It does not run on my 4070.", (8, 9)),
        ("I have a 3060 ti here", (8, 6)),
        ("用的是4060显卡", (8, 9)),
        ("training on 8x 4090", (8, 9)),
        ("RTX 50XX Series", (12, 0)),
        ("an RTX 30 card", (8, 6)),
        ("a server with H20", (9, 0)),
        ("RTX 4090 Laptop GPU", (8, 9)),
        ("Jetson Thor", (11, 0)),
        ("the GTX 10 series", (6, 1)),
        ("two K80 in it", (3, 7)),
        ("RTX PRO 6000 Blackwell", (12, 0)),
    ],
)
def test_a_name_tells_the_compute_capability(text, capability):
    """With or without the maker, as a family, in Chinese."""
    assert [found for found, _ in capabilities(parse_report(text))][:1] == [capability]


@pytest.mark.parametrize(
    ("text", "gfx"),
    [
        ("9070 XT on Windows with ROCm", "gfx1201"),
        ("RX 6600 here", "gfx1032"),
        ("Radeon RX 7900 XTX", "gfx1100"),
        ("AMD 5700XT", "gfx1010"),
        ("MI300X, ROCm 6.4", "gfx942"),
        ("an AMD laptop with the 780M", "gfx1103"),
        ("Radeon 8060S", "gfx1151"),
        ("AMD Vega 64", "gfx900"),
    ],
)
def test_a_name_tells_the_target_of_an_amd_gpu(text, gfx):
    """Where something beside it says that it is AMD's."""
    assert ("amd.gfx", gfx) in named(text)


@pytest.mark.parametrize(
    "text",
    [
        "port 5060 is taken",
        "after 2080 steps the loss is 0.1",
        "line 4070 in file",
        "CUDA_LAUNCH_BLOCKING=1, T4 is a type variable",
        "GPU with A10 GB",
        "in 1060 ms",
    ],
)
def test_other_numbers_are_no_gpu(text):
    """A number needs a word beside it that makes it a card."""
    assert named(text) == []


def test_a_family_counts_only_where_no_gpu_is_named():
    """A report's own GPU is more than a family in the prose."""
    text = "Does it run on the RTX 50 series?\nGPU models and configuration: GPU 0: NVIDIA GeForce RTX 3090"
    assert {found for found, _ in capabilities(parse_report(text))} == {(8, 6)}


def test_each_family_of_the_tables_has_one_capability():
    """From the products themselves; nothing for what is no family."""
    found = {
        name: series_capability(name) for name in ("gtx 10", "gtx 16", "rtx 20", "rtx 30", "rtx 40", "rtx 50")
    }
    assert found == {
        "gtx 10": (6, 1), "gtx 16": (7, 5), "rtx 20": (7, 5), "rtx 30": (8, 6), "rtx 40": (8, 9), "rtx 50": (12, 0),
    }  # fmt: skip
    assert series_capability("rtx 99") is None


def test_a_family_that_is_too_new_is_found_by_what_the_post_tells():
    """No error is quoted: the family, that it does not run, and the CUDA that it would need."""
    text = "It does not run with the RTX 50 series. Torch needs CUDA 12.8 for them, it has 12.4."
    assert [finding.id for finding in diagnose_text(text).in_order] == ["gpu-arch-too-new"]


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text):
    """Names come out as they stand in the text, with their line."""
    for fact in parse_gpu_names(plain_text(text)):
        assert fact.name in ("nvidia.gpu", "nvidia.series", "amd.gfx")
        assert fact.line is not None


@given(
    st.sampled_from(
        [each for each in products() if each.vendor == "amd" and each.name.startswith("Radeon RX")]
    )
)
def test_every_radeon_of_the_tables_is_read(product):
    """As its maker writes it."""
    if product.gfx and "/" not in product.name:
        found = [value for name, value in named(f"My {product.name} with ROCm") if name == "amd.gfx"]
        assert found in ([product.gfx], [])
