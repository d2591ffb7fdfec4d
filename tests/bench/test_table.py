"""The table: readable in 80 columns, without colour and in ASCII; names in brackets are text."""

from __future__ import annotations

from tests.bench.made import CPU, product, report
from tests.probe.test_tables import shown
from torchdoctor.bench import BenchResult
from torchdoctor.bench.bottlenecks import with_causes
from torchdoctor.bench.peaks import with_peaks
from torchdoctor.report.terminal.bench import render_bench


def text_of(*results, encoding="utf-8", environment=None) -> str:
    return shown(render_bench, with_causes(with_peaks(report(*results, environment=environment))), encoding)


def test_a_row_has_the_figure_its_spread_and_a_bar():
    text = text_of(product(187.04))

    assert "matmul float32 n=2048" in text
    assert "████████·· 80%" in text
    assert "2%" in text
    assert "3.65 GHz" in text


def test_a_terminal_without_the_signs_gets_plain_bars():
    assert "########.. 80%" in text_of(product(187.04), encoding="ascii")


def test_busy_figures_are_marked_and_errors_said_below():
    failed = BenchResult(id="conv", device="cpu", seconds=1.0, error="the process was [red]killed[/red]")
    text = text_of(
        product(40.0, cpu_share=0.5), failed, environment=CPU | {"executable": "/envs/[red]/python"}
    )

    assert "40*" in text
    assert "machine busy" in text
    assert "conv: the process was [red]killed[/red]" in text
    assert "/envs/[red]/python" in text
