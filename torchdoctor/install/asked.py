"""What was asked for in an environment: kept in its record, so that it can be verified, restored and added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.core.requirement_names import project_in
from torchdoctor.core.text import sanitize_line
from torchdoctor.core.urls import mask_urls_in
from torchdoctor.requirements import AskedRequirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["asked_of_record", "asked_rows"]

_MAX_ROWS = 2000
_MAX_CHARACTERS = 2000


def asked_of_record(record: Mapping[str, Any] | None) -> tuple[AskedRequirement, ...]:
    """Return what was asked for by a record; rows that nobody can read are left out, since a user may edit it."""
    rows = (record or {}).get("asked")
    asked = []
    for row in rows[:_MAX_ROWS] if isinstance(rows, list) else ():
        line, origin = (row.get("requirement"), row.get("origin")) if isinstance(row, dict) else (None, None)
        name = project_in(line) if isinstance(line, str) else None
        if name is not None and isinstance(line, str) and isinstance(origin, str):
            asked.append(AskedRequirement(line=line, name=name, origin=_shown(origin)))
    return tuple(asked)


def asked_rows(last: Mapping[str, Any] | None, asked: Iterable[AskedRequirement]) -> list[dict[str, str]]:
    """Return the rows for the record: those of the last one, replaced where the same projects are asked for again.

    URLs are written without passwords.
    """
    now = tuple(asked)
    names = {each.name for each in now}
    kept = [each for each in asked_of_record(last) if each.name not in names]
    rows = [{"requirement": _shown(each.line), "origin": _shown(each.origin)} for each in (*kept, *now)]
    return [dict(row) for row in dict.fromkeys(tuple(row.items()) for row in rows)][:_MAX_ROWS]


def _shown(text: str) -> str:
    return sanitize_line(mask_urls_in(text), limit=_MAX_CHARACTERS)
