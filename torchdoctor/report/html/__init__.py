"""Results as HTML pages."""

from __future__ import annotations
