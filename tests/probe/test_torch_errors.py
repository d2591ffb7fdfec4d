"""The texts of torch that the probe looks for: each pattern fits what was captured, and nothing else."""

from __future__ import annotations

import pytest

from torchdoctor.probe.torch_errors import error_line, says, table

SAMPLES = [(kind, sample) for kind, row in table().items() for sample in row["samples"]]
OTHERS = [(kind, other) for kind, row in table().items() for other in row["others"]]


@pytest.mark.parametrize(("kind", "sample"), SAMPLES)
def test_a_captured_text_is_of_its_kind(kind, sample):
    """Whatever stands around it."""
    assert says(RuntimeError("first line\n" + sample + "\nlast line"), kind)


@pytest.mark.parametrize(("kind", "other"), OTHERS)
def test_another_text_is_not(kind, other):
    """An error that looks alike is treated otherwise."""
    assert not says(RuntimeError(other), kind)


def test_every_kind_has_a_sample_and_a_meaning():
    """A pattern without a captured text matches what somebody imagined."""
    assert all(row["samples"] and row["meaning"] for row in table().values())


def test_the_first_error_of_a_compiler_is_found():
    """Its notes and warnings are passed over."""
    output = "a.cpp:1:1: warning: unused\na.cpp:2:10: fatal error: x.h: No such file\na.cpp:3:1: error: later"

    assert error_line(output) == "a.cpp:2:10: fatal error: x.h: No such file"
    assert error_line("nothing of a compiler") is None
