"""A part of a text that torchdoctor printed."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["FINDING", "ID", "POSSIBLE", "Part"]

FINDING, POSSIBLE = "reported.finding", "reported.possible"
ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){1,8}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The indices of its lines, counted from 0; what it reports, and the lines that describe the machine.

    `findings` are (name of the fact, id, what was seen); `is_check` is set where their absence means that nothing is
    wrong.
    """

    lines: tuple[int, ...]
    findings: tuple[tuple[str, str, str], ...] = ()
    heads: tuple[str, ...] = ()
    is_check: bool = False
