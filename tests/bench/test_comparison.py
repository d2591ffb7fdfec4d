"""Two runs beside each other: no verdict within the noise, and none between different works."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import CPU, product, report
from tests.probe.test_tables import shown
from torchdoctor.bench import compare
from torchdoctor.report.terminal.compare import render_comparison


def against(before, after, **environment):
    return compare(report(before), report(after, environment=CPU | environment), name="before")


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(100.0, "within noise"), (98.0, "within noise"), (90.0, "slower"), (110.0, "faster")],
)
def test_a_change_beyond_the_noise_has_a_verdict(after, verdict):
    """In quiet rounds three per cent are what processes differ by anyway."""
    (change,) = against(product(100.0), product(after)).changes

    assert change.verdict == verdict
    assert change.percent == pytest.approx(after - 100.0)
    assert change.noise_percent == 3.0


def test_rounds_that_scatter_need_a_larger_change():
    """Ten per cent slower say nothing where the rounds differ by thirty."""
    wild = (0.7, 0.9, 1.0, 1.1, 1.3)
    (change,) = against(product(100.0, rounds=wild), product(90.0, rounds=wild)).changes

    assert change.verdict == "within noise"
    assert change.noise_percent > 10


def test_a_busy_machine_needs_a_larger_change():
    """Half of the CPU time gone is no regression."""
    busy = product(50.0, cpu_share=0.5, best_s=2 * 2048**3 / 100e9)

    assert against(product(100.0), busy).changes[0].verdict == "within noise"


def test_fewer_microseconds_are_faster():
    before = product(20.0, id="launch", unit="us", params={"elements": 8, "n": 1})
    after = product(10.0, id="launch", unit="us", params={"elements": 8, "n": 1})

    assert against(before, after).changes[0].percent == pytest.approx(100.0)


@pytest.mark.parametrize(
    "other", [{"params": {"n": 512}}, {"dtype": "bfloat16"}, {"id": "conv"}, {"device": "mps"}]
)
def test_different_work_is_not_compared(other):
    """It is named on either side instead."""
    comparison = against(product(100.0), product(100.0, **other))

    assert comparison.changes == ()
    assert len(comparison.only_before) == len(comparison.only_after) == 1
    assert comparison.mean_percent is None


def test_what_else_differs_is_said():
    """A change of speed may come from it."""
    comparison = against(product(100.0), product(100.0), torch="2.15.0+cpu", threads=4)

    assert comparison.differences == ("torch: 2.13.0+cpu before, 2.15.0+cpu now", "threads: 2 before, 4 now")


def test_a_regression_is_beyond_the_limit_and_the_noise():
    comparison = against(product(100.0), product(90.0))

    assert [row.id for row in comparison.regressions(5)] == ["matmul"]
    assert comparison.regressions(15) == ()
    assert against(product(100.0), product(98.0)).regressions(1) == ()


@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_the_way_back_undoes_the_way_there(old, new):
    """A change and its reverse multiply to one, whatever the figures."""
    there = against(product(old), product(new)).changes[0].percent
    back = against(product(new), product(old)).changes[0].percent

    assert (1 + there / 100) * (1 + back / 100) == pytest.approx(1, rel=0.02, abs=0.02) or min(
        there, back
    ) < -98


def test_noise_beyond_a_hundred_per_cent_is_only_called_that():
    """Its size would be read as a measurement."""
    busy = product(50.0, cpu_share=0.2)

    assert against(product(100.0), busy).changes[0].noise_text == "over ±100%"


def test_the_table_shows_change_and_noise():
    comparison = against(product(100.0), product(90.0), torch="[red]")
    text = shown(render_comparison, comparison)

    assert "-10.0%" in text
    assert "±3.0%" in text
    assert "slower" in text
    assert "[red] now" in text
