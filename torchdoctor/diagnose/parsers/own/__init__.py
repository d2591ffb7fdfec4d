"""What torchdoctor itself printed, found in a text: recognised by its form, and read as data instead of as words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.lazy import lazy_names

if TYPE_CHECKING:
    from torchdoctor.diagnose.parsers.own.read import OwnOutput, read_own_output

__all__ = ["OwnOutput", "read_own_output"]

if not TYPE_CHECKING:  # else a misspelt name would be Any
    __getattr__ = lazy_names(__name__, {"read": ("OwnOutput", "read_own_output")})
