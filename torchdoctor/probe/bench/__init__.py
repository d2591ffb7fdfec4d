"""The bench suite: how much of each kind of work a device does in a second."""

from __future__ import annotations

__all__: list[str] = []
