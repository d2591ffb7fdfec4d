"""What several tests of detection share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.detect.nvml import build

if TYPE_CHECKING:
    from pathlib import Path

# Property tests here start processes or run beside those that do: a slow example is no fault.
settings.register_profile("machine", deadline=None)
settings.load_profile("machine")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a libnvidia-ml.so.1 that answers from a file."""
    folder = build(tmp_path_factory.mktemp("nvml"))
    if folder is None:
        pytest.skip("no C compiler")
    return folder
