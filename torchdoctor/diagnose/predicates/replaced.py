"""A log in which another package replaces torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.diagnose.matchers import Match, source

if TYPE_CHECKING:
    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["torch_replaced_in_log"]


def torch_replaced_in_log(case: Evidence) -> Match | None:
    """A log in which torch is taken out and another build of it put in."""
    removed, came = case.observations("torch.removed"), case.observations("torch.installed")
    if not removed:
        return None
    rows = [row for row in came if row.value != removed[0].value]
    if not rows and came:
        return None
    return Match(evidence=tuple(source(row) for row in (removed[0], *rows[:1])))
