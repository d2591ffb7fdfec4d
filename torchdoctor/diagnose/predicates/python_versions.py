"""A Python that is too new, and a C library that is too old, for the wheels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["glibc_below_2_28", "python_3_10_or_newer"]


def python_3_10_or_newer(evidence: Evidence) -> Match | None:
    """A Python that wheels came late for: what a post says of it is not that it is too old."""
    return next(
        (
            Match(evidence=(source(python),))
            for python in evidence.observations("python.version")
            if _numbers(python.value) >= (3, 10)
        ),
        None,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def glibc_below_2_28(evidence: Evidence) -> Match | None:
    """The C library's version is below 2.28."""
    for libc in evidence.observations("libc.version"):
        numbers = parse_numeric_version(libc.value)
        if numbers is not None and numbers < (2, 28) and evidence.first("os.system") in (None, "linux"):
            return Match(evidence=(source(libc),))
    return None
