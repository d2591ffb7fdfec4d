"""The order of a run: steps, devices, and names."""

from __future__ import annotations

from torchdoctor.probe import devices, suite
from torchdoctor.probe.session import plan


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
