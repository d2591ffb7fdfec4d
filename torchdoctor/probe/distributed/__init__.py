"""More than one process, on one machine or many: each rank says what it is, then all work together."""

from __future__ import annotations

__all__: list[str] = []
