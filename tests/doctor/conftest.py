"""What the check-up's tests share: the C library that speaks NVML."""

from __future__ import annotations

from tests.detect.conftest import library

__all__ = ["library"]
