"""A figure stands beside what the hardware can do, with the source, and beside nothing where no source says it."""

from __future__ import annotations

import pytest

from tests.bench.made import CPU, on_gpu, product, report
from torchdoctor.bench.bottlenecks import with_causes
from torchdoctor.bench.peaks import with_peaks


def placed(result, environment=None):
    return with_causes(with_peaks(report(result, environment=environment))).results[0]


def test_a_cpu_is_measured_against_what_its_own_cores_did():
    """The limit of a core, as often as there are cores; the nominal clock has no part in it."""
    found = placed(product(187.0))

    assert found.peak == pytest.approx(233.8)
    assert found.share_of_peak == pytest.approx(0.8, abs=0.001)
    assert found.peak_source == "measured here: vfmadd231ps ymm on a core 116.9 GFLOP/s, 2 cores"
    assert found.cause is None


def test_one_thread_is_measured_against_one_core():
    assert placed(product(100.0, threads=1)).peak == pytest.approx(116.9)


def test_more_threads_than_cores_have_no_more_peak_and_are_the_cause():
    found = placed(product(50.0), CPU | {"threads": 64})

    assert found.peak == pytest.approx(233.8)
    assert "OMP_NUM_THREADS=2" in found.cause


@pytest.mark.parametrize(
    ("dtype", "peak"), [("bfloat16", 989400), ("tf32", 494700), ("float32", 66900), ("int8", None)]
)
def test_a_gpu_is_measured_against_its_vendors_dense_figure(dtype, peak):
    """With the source; what the table does not know is null."""
    found = placed(product(50_000.0, device="cuda:0", dtype=dtype), on_gpu("NVIDIA H100 80GB HBM3"))

    assert found.peak == peak
    assert (found.peak_source is None) == (peak is None)
    assert (found.share_of_peak is None) == (peak is None)


@pytest.mark.parametrize(
    ("name", "device", "dtype", "peak"),
    [
        ("AMD Instinct MI300X", "cuda:0", "bfloat16", 1307400),
        ("AMD Radeon RX 9070 XT", "cuda:0", "float32", 48700),
        ("Intel(R) Arc(TM) B580 Graphics", "xpu:0", "float32", 13670),
        ("AMD Instinct MI250X", "cuda:0", "bfloat16", None),
        ("Apple M2 Max", "mps", "float16", None),
    ],
)
def test_gpus_of_other_vendors_are_measured_against_theirs(name, device, dtype, peak):
    """By the name that torch gives; one of the two dies of an MI250X has no figure, and Apple publishes none."""
    environment = {**on_gpu(name), "devices": [{"device": device, "name": name}]}
    found = placed(product(50_000.0, device=device, dtype=dtype), environment)

    assert found.peak == peak
    assert (found.peak_source or "").startswith("https://" if peak else "")


@pytest.mark.parametrize("name", ["NVIDIA H900", "<script>", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", None])
def test_an_unknown_gpu_or_a_slice_of_one_has_no_peak(name):
    assert placed(product(9e5, device="cuda:0", dtype="bfloat16"), on_gpu(name)).peak is None


def test_a_busy_machine_is_the_cause_whatever_else_is():
    """A figure that is low because of the neighbours says nothing of the hardware."""
    found = placed(product(40.0, cpu_share=0.52))

    assert found.busy
    assert found.cause == "machine busy: got 52% of the CPU time it wanted"


@pytest.mark.parametrize(
    ("telemetry", "words"),
    [
        (
            {"throttle_reasons": ["power cap"], "power_w": 699.0, "power_limit_w": 700.0},
            "power cap (699 of 700 W)",
        ),
        ({"clock_mhz": 900.0, "highest_clock_mhz": 1980.0, "temperature_c": 91.0}, "900 of 1980 MHz (91 °C)"),
        ({"clock_mhz": 1950.0, "highest_clock_mhz": 1980.0}, "no sign of a cause"),
        (None, "no sign of a cause"),
    ],
)
def test_a_gpu_that_was_held_back_says_by_what(telemetry, words):
    found = placed(
        product(3e5, device="cuda:0", dtype="bfloat16", params={"n": 8192}, telemetry=telemetry),
        on_gpu("NVIDIA H100 80GB HBM3"),
    )

    assert words in found.cause


def test_small_matrices_are_named_as_such():
    assert "n = 256" in placed(product(60.0, params={"n": 256})).cause


def test_work_that_memory_holds_back_says_what_memory_allows():
    """The roofline: operations a byte times the bandwidth measured in the same run."""
    slow = product(60.0, id="conv", flop=1e9, bytes=4e8)
    copy = product(30.0, id="memory-copy", dtype="float32", unit="GB/s", best_value=30.0)
    found = with_causes(with_peaks(report(slow, copy))).results[0]

    assert found.cause == "bound by memory: at 30 GB/s it could reach 75 GFLOP/s"
