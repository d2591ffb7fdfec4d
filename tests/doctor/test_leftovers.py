"""Which folders are pip's leftovers of PyTorch's packages, by their names alone."""

from __future__ import annotations

import pytest

from torchdoctor.doctor.pip_leftovers import is_pips_leftover


@pytest.mark.parametrize(
    "name",
    [
        "~orch", "~-rch", "~~rch", "~orch-2.13.0+cpu.dist-info", "~orchgen", "~unctorch", "~orchvision",
        "~orchvision.libs", "~orchaudio-2.11.0.dist-info", "~riton", "~vidia",
        "~vidia_cublas_cu12-12.8.4.1.dist-info", "~umpy",
    ],
)  # fmt: skip
def test_a_folder_that_pip_put_aside_is_known(name):
    """`~` for the first sign; for a second copy another sign stands in as well."""
    assert is_pips_leftover(name)


@pytest.mark.parametrize(
    "name",
    [
        "torch", "torchvision", "torch-2.13.0.dist-info", "~", "~torch", "~orchmetrics", "~orch_geometric", "~rch",
        "~orch.bak", "~hings", "orch", "~orch/../torch", "~orch-2.13.0",
    ],
)  # fmt: skip
def test_any_other_folder_is_not(name):
    """Packages themselves, leftovers of others, and what a person named."""
    assert not is_pips_leftover(name)
