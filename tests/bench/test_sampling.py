"""The rounds: interleaved, disturbed ones done again and left out, and never without end."""

from __future__ import annotations

import pytest

from torchdoctor.probe.bench import sampling
from torchdoctor.probe.bench.sampling import Case, Pace, passes
from torchdoctor.probe.bench.timing import Round
from torchdoctor.probe.bench.workload import GFLOP, US, Workload

PACE = Pace(rounds=4, round_s=0.01, again=3, case_s=60.0, all_s=60.0)


@pytest.fixture
def case(monkeypatch):
    """A case whose rounds take these times and get these shares."""

    def make(*taken, unit=GFLOP):
        answers = iter(taken)
        monkeypatch.setattr(sampling, "one_round", lambda *_: Round(*next(answers)))
        made = Case("matmul", "cpu", Workload(lambda: None, "float32", {"n": 1}, 1e9, unit), 0.1)
        for _ in taken:
            made.time(None, PACE)
        return made

    return make


def test_cases_take_turns():
    """A disturbance of a second falls on a round of each, not on one case whole."""
    cases = [Case(name, "cpu", Workload(lambda: None, "float32", {}, 1, US), 0.0) for name in "ab"]
    order = []
    for case in passes(cases, PACE):
        case._rounds.append(([1.0], 1.0))
        order.append(case.name)

    assert order == list("abababab")


def test_disturbed_rounds_are_done_again_but_not_for_ever():
    case = Case("a", "cpu", Workload(lambda: None, "float32", {}, 1, US), 0.0)
    turns = 0
    for _ in passes([case], PACE):
        case._rounds.append(([1.0], 0.5))
        turns += 1

    assert turns == PACE.rounds + PACE.again


def test_a_case_that_is_taken_out_has_no_more_turns():
    """It raised."""
    cases = [Case(name, "cpu", Workload(lambda: None, "float32", {}, 1, US), 0.0) for name in "ab"]
    order = []
    for case in passes(cases, PACE):
        order.append(case.name)
        if case.name == "a":
            cases.remove(case)

    assert order.count("a") == 1
    assert order.count("b") > 1


def test_when_time_is_up_each_case_has_three_rounds():
    cases = [Case(name, "cpu", Workload(lambda: None, "float32", {}, 1, US), 0.0) for name in "ab"]

    assert [case.name for case in passes(cases, PACE._replace(all_s=0.0))] == list("ababab")


def test_the_median_is_of_the_clean_rounds(case):
    """A round that got half of its CPU time does not move it."""
    figures = case(([1.0], 1.0), ([9.0], 0.5), ([1.0], 0.99), ([1.2], 0.98)).outcome().figures

    assert figures["median_s"] == 1.0
    assert figures["value"] == 1.0
    assert figures["rounds_disturbed"] == 1
    assert figures["cpu_share"] == 0.99


def test_without_enough_clean_rounds_the_fastest_tenth_counts_and_the_share_says_so(case):
    """The median of what neighbours have slowed down would be theirs."""
    slow = [5.0] * 9
    figures = case(([1.0, 1.1, 1.2, *slow], 0.5), (slow, 0.6), (slow, 0.7)).outcome().figures

    assert figures["median_s"] == 1.1
    assert figures["repeats"] == 30
    assert figures["cpu_share"] == 0.6
    assert figures["rounds_s"][1:] == [5.0, 5.0]


def test_of_microseconds_fewer_are_better(case):
    figures = case(([2e-6, 4e-6], None), ([4e-6], None), ([4e-6], None), unit=US).outcome().figures

    assert figures["best_s"] < figures["median_s"]
    assert figures["best_value"] < figures["value"]
