"""What uv takes by the driver alone is put beside the plan, with the reason where it does not fit."""

from __future__ import annotations

import pytest

from tests.resolve.machines import GTX_1080, RTX_4090, linux
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.uv_choice import uv_choice
from wheels_index import bundled


def choice(machine, *families):
    return uv_choice(machine, families, bundled(), resolve(machine, Request(), bundled()))


def test_the_first_index_decides():
    """uv takes the newest release on it, whatever the others have."""
    found = choice(linux(RTX_4090, driver="580.95.05"), "cu132", "cu130")
    assert (found.torch, found.same, found.problem) == ("2.15.0+cu132", True, None)


def test_a_build_without_code_for_the_gpu_does_not_fit():
    """The driver runs CUDA 13, and no CUDA 13 build has code for a GTX 1080."""
    found = choice(linux(GTX_1080, driver="580.95.05"), "cu132", "cu126")
    assert (found.torch, found.same) == ("2.15.0+cu132", False)
    assert "has no code" in found.description


def test_an_older_build_that_runs_is_no_fault():
    """CUDA 12.9 runs with a driver of CUDA 12, and its builds end with 2.13."""
    found = choice(linux(RTX_4090, driver="560.35.03"), "cu129")
    assert (found.torch, found.same, found.problem) == ("2.13.0+cu129", False, None)


@pytest.mark.parametrize(("families", "words"), [((), "not asked"), (("cu80",), "no fitting torch is known")])
def test_what_nobody_knows_is_said(families, words):
    """uv was not asked, or asks an index that has no release that is known."""
    found = choice(linux(RTX_4090, driver="580.95.05"), *families)
    assert (found.torch, found.same) == (None, False)
    assert words in found.description
