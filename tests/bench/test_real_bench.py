"""Bench against the real torch: the contract's case, the units, and what goes wrong."""

from __future__ import annotations

import subprocess

import pytest

from tests.bench.made import CPU
from tests.conftest import run_torchdoctor
from tests.probe.fakes import patching, spoilt
from torchdoctor.bench import bench
from torchdoctor.bench.measure import select_cases
from torchdoctor.errors import UsageError
from torchdoctor.probe.bench.registry import BENCH, QUICK


@pytest.fixture
def results(quick_bench):
    """The figures of one quick run."""
    assert quick_bench.status == 0, quick_bench.out + quick_bench.err
    return quick_bench.json["results"]


def test_a_quick_run_holds_the_contracts_case(results):
    """float32 at n = 2048, whose figure follows from its median."""
    products = [row for row in results if (row["id"], row["dtype"]) == ("matmul", "float32")]
    (matmul,) = [row for row in products if row["params"]["n"] == 2048]

    assert not any(row["error"] for row in results)
    assert (matmul["device"], matmul["unit"], matmul["params"]) == ("cpu", "GFLOP/s", {"n": 2048})
    assert matmul["value"] == pytest.approx(2 * 2048**3 / matmul["median_s"] / 1e9, rel=1e-4)
    assert {"id", "device", "dtype", "params", "value", "unit", "median_s", "iqr_s", "repeats", "peak",
            "share_of_peak"} <= set(matmul)  # fmt: skip


def test_every_figure_says_how_far_to_trust_it(results):
    """Repeats, spread, the best beside the median, and the share of the CPU."""
    for row in results:
        assert row["value"] > 0
        assert row["repeats"] >= 3
        assert len(row["rounds_s"]) >= 3
        assert 0 < row["best_s"] <= row["median_s"] * 1.0001
        assert row["iqr_s"] >= 0
        assert 0 < row["cpu_share"] <= 1


def test_the_kinds_of_work_are_there(results):
    """Products, convolution, attention, training, loading, copies and overhead."""
    assert {"matmul", "matmul-one-thread", "conv", "conv-channels-last", "attention", "autograd", "cnn-training",
            "transformer-training", "dataloader", "memory-copy", "memory-copy-one-thread",
            "launch"} <= {row["id"] for row in results}  # fmt: skip


def test_the_cpus_limits_are_measured_where_they_can_be(quick_bench, results):
    """And a share is given for each dtype whose limit is known."""
    limits = quick_bench.json["environment"]["cpu_limits"]
    if limits["why"]:
        pytest.skip(limits["why"])
    assert 0.5 < limits["clock_ghz"] < 8
    assert set(limits) == set(CPU["cpu_limits"])
    for row in results:
        assert (row["peak"] is None) == (row["unit"] != "GFLOP/s" or row["dtype"] not in limits["one_core"])


def test_a_case_that_raises_is_an_error_and_the_others_are_measured(torch_python, tmp_path):
    """In the middle of its rounds, too."""
    patched = patching(
        """
        real, calls = torch.nn.functional.conv2d, []
        def conv2d(*args, **kwargs):
            calls.append(1)
            if len(calls) > 8: raise RuntimeError("kernel <b>lost</b>")
            return real(*args, **kwargs)
        torch.nn.functional.conv2d = conv2d
        """
    )
    python = spoilt(torch_python, tmp_path / "env", sitecustomize=patched)
    results = {r.id: r for r in bench(python, only=["conv", "launch"], quick=True).results}

    assert "kernel <b>lost</b>" in results["conv"].error
    assert results["launch"].error is None


@pytest.mark.slow
def test_a_case_that_crashes_is_named_and_the_others_are_measured(torch_python, tmp_path):
    """The process goes with it; the next one leaves it out."""
    patched = patching(
        "import os\ndef lost(*a, **k): os.abort()\ntorch.nn.functional.scaled_dot_product_attention = lost"
    )
    python = spoilt(torch_python, tmp_path / "env", sitecustomize=patched)
    results = {r.id: r for r in bench(python, only=["attention", "launch"], quick=True).results}

    assert "SIGABRT" in results["attention"].error
    assert results["launch"].value > 0


def test_a_device_that_does_not_exist_is_one_error(torch_python):
    """Named, with what there is."""
    report = bench(torch_python, device="cuda:0", only=["launch"])

    assert [(r.id, r.error) for r in report.results] == [("devices", "cuda:0 requested; available: cpu")]


def test_names_choose_cases_and_unknown_ones_are_wrong_usage():
    """A first word stands for all that begin with it."""
    assert select_cases(["matmul-float32"], ["matmul-float32-large"], quick=True) == [
        "matmul-float32-tiny", "matmul-float32-small", "matmul-float32-middle", "matmul-float32"
    ]  # fmt: skip
    assert select_cases([], [], quick=True) == list(QUICK)
    assert select_cases([], [], quick=False) == [step.id for step in BENCH]
    with pytest.raises(UsageError, match="mathmul"):
        select_cases(["mathmul"], [], quick=True)


@pytest.mark.process
def test_the_list_needs_no_environment(tmp_path):
    """It is of the program, not of a machine."""
    ran = run_torchdoctor("bench", tmp_path / "nothing", "--list", "--json")

    assert ran.status == 0
    assert [row["id"] for row in ran.json["cases"]] == [step.id for step in BENCH]


@pytest.mark.process
def test_the_probes_loops_agree_with_the_assembler(tmp_path):
    """What is run as bytes is what its name says."""
    import json
    import re
    import shutil

    from torchdoctor.probe.bench import cpu_peak

    if not shutil.which("as") or not shutil.which("objdump"):
        pytest.skip("there is no assembler here")
    rows = json.loads(cpu_peak._SOURCE.read_text("utf-8"))["instructions"]
    source = [".intel_syntax noprefix"]
    for row in rows:
        name, width = row["name"].split()
        last = "tmm0, tmm6, tmm7" if width == "tmm" else f"{width}0, {width}14, {width}15"
        source.append(("{vex} " if name == "vpdpbusd" and width == "ymm" else "") + f"{name} {last}")
    (tmp_path / "a.s").write_text("\n".join(source) + "\n")
    subprocess.run(["as", "-o", tmp_path / "a.o", tmp_path / "a.s"], check=True)
    shown = subprocess.run(
        ["objdump", "-d", "--insn-width=12", tmp_path / "a.o"], check=True, capture_output=True, text=True
    ).stdout
    codes = [re.sub(r"\s", "", found) for found in re.findall(r":\t((?:[0-9a-f]{2} )+)", shown)]

    assert codes == [row["code"] for row in rows]
