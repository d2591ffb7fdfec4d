"""One result of the probe: what a step of a suite reported, or what became of it when its process died."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.core.text import printable_line
from torchdoctor.verify.translate import translatable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.verify.model import Status

__all__ = ["StepResult"]

_MAX_DETAIL_CHARACTERS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """How one step ended on one device.

    `code` is a stable word for a known reason of a failure, warning or skip. `evidence` holds lines of a traceback or
    of standard error. `figures` are those of a benchmark case, `note_parts` what its note is made of.
    """

    id: str
    device: str
    status: Status
    detail: str
    code: str | None = None
    seconds: float = 0.0
    evidence: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    note_parts: object = None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> StepResult:
        """Build it from a `result` event of the probe, without what a terminal would obey."""
        return cls(
            id=event["id"],
            device=event["device"],
            status=event["status"],
            detail=printable_line(
                translatable(event["detail"], event.get("parts")), limit=_MAX_DETAIL_CHARACTERS
            ),
            code=event.get("code"),
            seconds=event["seconds"],
            evidence=tuple(printable_line(line) for line in event["evidence"]),
            figures=event["figures"],
            note_parts=event.get("note_parts"),
        )
