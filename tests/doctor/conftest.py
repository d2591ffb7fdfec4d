"""What the doctor's tests share: the C library that speaks NVML, and an environment of real files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.detect.conftest import library
from tests.inventory.site import Environment

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["library"]


@pytest.fixture
def site(tmp_path: Path) -> Environment:
    """A virtual environment without packages."""
    return Environment(tmp_path / "site")
