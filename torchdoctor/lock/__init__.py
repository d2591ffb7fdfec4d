"""Plan -> Lock: every file with its hash, as pylock.toml (PEP 751)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.lock.compile import compile_lock
    from torchdoctor.lock.model import Lock, LockedWheel
    from torchdoctor.lock.read import read_lock

__all__ = ["Lock", "LockedWheel", "compile_lock", "read_lock"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(
        __name__,
        {"compile": ("compile_lock",), "model": ("Lock", "LockedWheel"), "read": ("read_lock",)},
    )
