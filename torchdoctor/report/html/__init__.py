"""Results as HTML pages that load nothing and run nothing."""

from __future__ import annotations
