"""What a check is, what it says, and how it words the facts of the machine."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import joined, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.core import NamedFact
    from torchdoctor.doctor.model import CheckUp

__all__ = ["Check", "CheckText", "Mark", "fact_lines"]

Mark = Literal["ok", "unknown", "warning", "error"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckText:
    """What a check says of one machine and environment."""

    text: str
    evidence: tuple[str, ...] = ()  # a line for each fact that shows it, with where it was read
    mark: Mark = "ok"  # the check's own judgement, which a finding can make worse


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check of the doctor."""

    looks_at: str  # what is looked at, for `doctor --list-checks`
    describe: Callable[[CheckUp], CheckText]


def fact_lines(check_up: CheckUp, *names: str) -> tuple[str, ...]:
    """Return a line for each fact of these names or sections, absent ones left out."""
    return tuple(
        _fact_line(fact)
        for fact in check_up.detection.facts
        if any(fact.name == name or fact.name.startswith(f"{name}.") for name in names)
        and fact.fact.state != "absent"
    )


def _fact_line(named: NamedFact) -> str:
    fact = named.fact
    if fact.state == "found":
        return message(
            "{what}: {value} ({where})", what=named.name, value=_plain(fact.value), where=fact.source
        )
    reason = message("unknown: {why}", why=fact.why) if fact.why else message("unknown")
    return message("{what}: {why} ({where})", what=named.name, why=reason, where=fact.source)


def _plain(value: object) -> str:
    """A value as people write it: lists by commas, yes and no, the fields of a record side by side."""
    if isinstance(value, bool):
        return message("yes") if value else message("no")
    if isinstance(value, tuple):
        return joined(map(_plain, value))
    if is_dataclass(value):
        values = (getattr(value, field.name) for field in fields(value))
        return joined((_plain(part) for part in values if part is not None and part != ()), " ")
    if value is None:
        return message("none")
    return value if isinstance(value, str) else str(value)
