"""Outcomes: each says how a step went, and an exception becomes a failure with its traceback."""

from __future__ import annotations

import pytest

from torchdoctor.probe.step import broken, failed, passed, skipped, warned


def raised(error):
    """The error after it was raised, with its traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_what_did_not_pass_carries_a_code():
    """A pass needs none."""
    outcomes = (failed("wrong-result", "off"), warned("too-many-threads", "64"), skipped("one-gpu", "one"))

    assert [(outcome.status, outcome.code) for outcome in outcomes] == [
        ("fail", "wrong-result"), ("warn", "too-many-threads"), ("skip", "one-gpu"),
    ]  # fmt: skip
    assert passed("right").code is None


def test_an_exception_is_a_failure_with_its_last_line_and_its_traceback():
    """On one line, whatever the message has."""
    outcome = broken(raised(RuntimeError("first\n  second")))

    assert (outcome.status, outcome.code) == ("fail", "exception")
    assert outcome.detail == "RuntimeError: first second"
    assert outcome.evidence[0].startswith("Traceback")
    assert outcome.evidence[-1] == "  second"


def test_an_exception_without_a_message_is_its_name():
    assert broken(raised(KeyboardInterrupt())).detail == "KeyboardInterrupt"


def test_a_long_message_is_cut_and_of_many_lines_the_last_are_kept():
    """An event stays below what the parent reads."""
    outcome = broken(raised(ValueError("\n".join(f"line {number} " + "x" * 1000 for number in range(100)))))

    assert len(outcome.detail) == 400
    assert len(outcome.evidence) == 30
    assert max(map(len, outcome.evidence)) == 400
    assert outcome.evidence[-1].startswith("line 99 ")
