"""An empty environment, and no time limit on property tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.inventory.site import Environment

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile("inventory", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("inventory")


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    """A virtual environment without packages."""
    return Environment(tmp_path / "env")
