"""The index and the options of the tests of installing."""

from __future__ import annotations

from tests.install.conftest import bare, official
from tests.lock.conftest import local_index, request_for

__all__ = ["bare", "local_index", "official", "request_for"]
