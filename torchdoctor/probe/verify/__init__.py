"""The proof: each part of PyTorch that a user meets."""

from __future__ import annotations

__all__: list[str] = []
