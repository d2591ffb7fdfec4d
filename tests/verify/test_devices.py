"""Names of devices: those that torch can have, and nothing else."""

from __future__ import annotations

import pytest

from torchdoctor.errors import UsageError
from torchdoctor.verify.devices import DEVICE_NAMES, valid_device


@pytest.mark.parametrize("name", [*DEVICE_NAMES, "cuda:15", "xpu:7"])
def test_a_device_of_torchs_is_taken_as_it_is(name):
    assert valid_device(name) == name


@pytest.mark.parametrize(
    "name", ["", "gpu", "CUDA", "cuda:", "cuda:-1", "cpu:0", "mps:0", "cuda:0000", "cuda\n"]
)
def test_another_name_is_wrong_usage(name):
    """With those that there are."""
    with pytest.raises(UsageError) as caught:
        valid_device(name)

    assert "cuda:0" in caught.value.fix
