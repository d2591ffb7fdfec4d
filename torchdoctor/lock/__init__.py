"""Plan -> Lock: every file with its hash, as pylock.toml (PEP 751)."""

from __future__ import annotations
