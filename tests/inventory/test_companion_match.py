"""Companions and NumPy against the installed torch."""

from __future__ import annotations

import pytest

from torchdoctor.inventory.companion_match import match_companion, numpy_compatibility
from wheels_index import bundled

INDEX = bundled()


@pytest.mark.parametrize(
    ("version", "requires", "matches", "reason"),
    [
        ("0.24.1+cpu", (), True, "known to belong to torch 2.9.1+cpu: 0.24.1"),
        ("0.20.0+cpu", (), False, "known to belong to torch 2.9.1+cpu: 0.24.1"),
    ],
)
def test_a_companion_is_judged_by_the_facts_of_the_release(env, version, requires, matches, reason):
    """What its metadata says does not count then."""
    env.torch("2.9.1+cpu")
    env.put("torchvision", version, requires=requires)
    inventory = env.take()
    match = match_companion(inventory.torch.value, inventory.torchvision.value, INDEX)
    assert (match.matches, match.why, match.same_variant) == (matches, reason, True)


@pytest.mark.parametrize(
    ("requires", "matches", "reason"),
    [
        (("torch==99.0.0",), True, "its metadata requires torch==99.0.0"),
        (("torch (>=1,<2)",), False, "its metadata requires torch>=1,<2"),
        ((), None, "its metadata requires no torch, and the versions that belong to this torch are unknown"),
        (("torch=!9",), None, "its requirement of torch cannot be read"),
    ],
)
def test_of_an_unknown_release_the_metadata_decides(env, requires, matches, reason):
    """None where it says nothing."""
    env.torch("99.0.0+cpu")
    env.put("torchvision", "9.0", requires=requires)
    inventory = env.take()
    match = match_companion(inventory.torch.value, inventory.torchvision.value, INDEX)
    assert (match.matches, match.why) == (matches, reason)


def test_numpy_is_unknown_without_a_torch():
    """Nothing asks for any."""
    numpy = numpy_compatibility("2.1.0", None, "linux", INDEX)
    assert (numpy.major, numpy.needed, numpy.fits) == (2, None, None)
