"""Small operations that prove known extensions: each imports its extension when it runs, and compares a result."""

from __future__ import annotations

__all__: list[str] = []
