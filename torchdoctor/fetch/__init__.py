"""Lock -> Wheelhouse: verified wheels in the cache."""

from __future__ import annotations
