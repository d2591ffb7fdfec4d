"""WSL on a Windows that cannot give it the GPU."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["windows_older_than_21h2"]

# The build number of Windows 10 21H2.
_FIRST_WINDOWS = 19044


def windows_older_than_21h2(evidence: Evidence) -> Match | None:
    """WSL runs on a Windows 10 before 21H2, the first that gives it the GPU.

    https://docs.nvidia.com/cuda/wsl-user-guide/index.html
    """
    if not evidence.observations("wsl"):
        return None
    for position in evidence.text.find("version 10.0."):
        match = re.match(r"version 10\.0\.(\d{5})", evidence.text.lower[position : position + 24])
        if match and int(match[1]) < _FIRST_WINDOWS:
            return Match(evidence=(evidence.text.line_at(position)[1].strip()[:300],))
    return None
