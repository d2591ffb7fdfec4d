"""Hashes that an installer found to be wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["same_wrong_hash_twice"]


def same_wrong_hash_twice(evidence: Evidence) -> Match | None:
    """The same wrong hash on two tries."""
    got = re.findall(r"\bgot\s+([0-9a-f]{16,64})", evidence.text.lower)
    same = [value for value in got if got.count(value) > 1]
    return Match() if same else None
