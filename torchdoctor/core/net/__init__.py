"""HTTP: pages, streams, and what may be said of a URL."""

from __future__ import annotations
