"""The verify suite: a check of each part of PyTorch that users rely on."""

from __future__ import annotations

__all__: list[str] = []
