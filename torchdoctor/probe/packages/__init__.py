"""The packages of the environment: which there are, whether each can be imported, and whether known ones work."""

from __future__ import annotations

__all__: list[str] = []
