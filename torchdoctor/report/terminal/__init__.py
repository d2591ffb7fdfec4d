"""Results as text for a terminal or a pipe."""

from __future__ import annotations
