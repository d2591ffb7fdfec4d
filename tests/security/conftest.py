"""The index and the options of the tests of installing."""

from __future__ import annotations

from tests.install.conftest import bare, official

__all__ = ["bare", "official"]
