"""The parts of the probe that need no torch: rows, devices, limits, tags."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from torchdoctor.probe import devices, facts, suite
from torchdoctor.probe.session import plan
from torchdoctor.probe.verify.tolerances import grade_error

H200 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]


def test_checks_on_a_device_run_together_and_the_cpu_comes_first():
    """What runs once keeps its place before and after."""
    rows = [(step.id, device) for step, device in plan(list(suite.VERIFY), ["cpu", "cuda:0"])]

    assert rows[:3] == [("files", "cpu"), ("pairing", "cpu"), ("import", "cpu")]
    assert rows.index(("torchvision", "cpu")) < rows.index(("tensor", "cuda:0"))
    assert [device for name, device in rows if name == "compile"] == ["cuda:0"]
    assert [device for name, device in rows if name == "numpy"] == ["cpu"]


def test_cases_run_on_the_best_device_only():
    """One figure a case."""
    there = ["cpu", "cuda:0", "cuda:1"]

    assert {device for _, device in plan(list(suite.BENCH), there)} == {"cuda:0"}
    assert devices.best(["cuda:1"]) == "cuda:1"
    assert devices.best(["cpu"]) == "cpu"


def test_a_case_has_no_row_where_there_is_no_device():
    """What was asked for is not there, so nothing else is measured in its place."""
    assert list(plan(list(suite.BENCH), [])) == []


def test_names_of_steps_are_unique_and_kebab_case():
    """They are a contract."""
    for steps in suite.SUITES.values():
        names = [step.id for step in steps]
        assert len(set(names)) == len(names)
        assert all(name == name.lower() and name.replace("-", "").isalnum() for name in names)


@pytest.mark.parametrize(
    ("asked", "found", "missing"),
    [
        (None, ["cpu", "cuda:0", "cuda:1"], []),
        (["cuda"], ["cuda:0", "cuda:1"], []),
        (["cuda:1", "cuda"], ["cuda:1", "cuda:0"], []),
        (["cpu", "xpu"], ["cpu"], ["xpu"]),
        (["cuda:7"], [], ["cuda:7"]),
    ],
)
def test_a_kind_stands_for_all_its_devices(asked, found, missing):
    """And what is not there is told."""
    assert devices.chosen(asked, ["cpu", "cuda:0", "cuda:1"]) == (found, missing)


@pytest.mark.parametrize(
    ("capability", "architectures", "fits"),
    [
        ("9.0", H200, True),
        ("8.9", H200, True),
        ("6.1", H200, False),
        ("10.3", ["sm_100"], True),
        ("12.1", ["sm_90", "compute_90"], True),
        ("10.0", ["sm_90a"], False),
        ("9.0", ["sm_90a"], True),
        ("10.3", ["sm_100f"], True),
        ("8.0", ["sm_86"], False),
        ("gfx942", ["gfx90a", "gfx942"], True),
        ("gfx1100", ["gfx90a", "gfx942"], False),
    ],
)
def test_a_gpu_needs_kernels_of_its_major_version_or_ptx(capability, architectures, fits):
    """NVIDIA's rule of compatibility; AMD has no such rule, the name itself has to be there."""
    assert devices.kernels_fit(capability, architectures) is fits


@pytest.mark.parametrize(
    ("capability", "old"), [("6.1", True), ("7.5", False), ("12.1", False), ("gfx90a", False)]
)
def test_a_gpu_older_than_the_build_is_told_from_one_that_is_newer(capability, old):
    """The fix is an older build for the one, a newer for the other."""
    assert devices.older_than_all(capability, H200) is old


@pytest.mark.parametrize(
    ("version", "cuda", "hip", "variant"),
    [
        ("2.13.0+cpu", None, None, "cpu"),
        ("2.4.1+cu124", "12.4", None, "cu124"),
        ("2.13.0", "13.0", None, "cu130"),
        ("2.9.0+rocm6.4", None, "6.4.43482", "rocm6.4"),
        ("2.6.0a0+ecf3bae40a.nv25.01", "12.8", None, "cu128"),
        ("2.13.0", None, None, "cpu"),
    ],
)
def test_the_variant_comes_from_the_version_or_from_what_it_was_built_with(version, cuda, hip, variant):
    """PyPI's build carries no tag, a vendor's another."""
    torch = SimpleNamespace(__version__=version, version=SimpleNamespace(cuda=cuda, hip=hip))

    assert facts.variant(torch) == variant


@pytest.mark.parametrize(
    ("error", "lowered", "status"),
    [
        (3e-7, None, "pass"),
        (3e-4, None, "fail"),
        (3e-4, "TF32 in use", "pass"),
        (3e-3, "TF32 in use", "warn"),
        (3e-2, "TF32 in use", "fail"),
        (float("nan"), "TF32 in use", "fail"),
    ],
)
def test_a_coarse_product_needs_a_reason(error, lowered, status):
    """TF32 is information, garbage is a failure."""
    judged, note = grade_error(error, 2e-6, lowered)

    assert judged == status
    assert bool(note) is (error > 2e-6 or error != error)  # noqa: PLR0124
