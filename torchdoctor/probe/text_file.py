"""Small files of the system, such as those below /proc and /sys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_text"]

_MAX_BYTES = 256 * 1024


def read_text(path: Path) -> str:
    """Return the beginning of a text, 256 KiB at most; empty where there is none or it may not be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except (OSError, ValueError):
        return ""
