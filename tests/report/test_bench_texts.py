"""How figures are named and worded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.made import product
from torchdoctor.report.bench_texts import figure, remarks, title_of


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (12345.6, "12,346"), (999.94, "999.9"), (0.00012345, "0.0001234")]
)
def test_a_figure_has_four_digits_or_all_before_the_point(value, text):
    """Empty where there is none."""
    assert figure(value) == text


def test_a_case_is_named_by_what_makes_it_different():
    """Dtype and size, and the device unless it is the CPU."""
    assert title_of(product(100.0)) == "matmul float32 n=2048"
    assert title_of(product(100.0, device="cuda:0")) == "matmul float32 n=2048 on cuda:0"


def test_a_remark_that_several_figures_share_is_given_once():
    """With the names of all of them; an error goes before a note."""
    rows = [replace(product(100.0), note="warm"), replace(product(90.0, params={"n": 512}), note="warm")]
    failed = replace(product(1.0, params={"n": 64}), error="out of memory", note="warm")
    assert remarks([*rows, failed]) == [
        ("matmul float32 n=2048, matmul float32 n=512: warm", "dim"),
        ("matmul float32 n=64: out of memory", "red"),
    ]


def test_a_busy_machine_is_the_first_remark():
    """With the share of the CPU time that the calls got."""
    (text, style), *_ = remarks([product(100.0, cpu_share=0.4)])
    assert "this got 40%" in text
    assert style == "yellow"
