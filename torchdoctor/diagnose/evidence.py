"""The case file: every fact that was seen, with the place where, and the text that it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from torchdoctor.diagnose.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Evidence", "Observation"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One thing that was seen: its dotted name, its value, and the line, file or call that says so.

    `line` is the line's number in a pasted text, None for a fact from a live machine.
    """

    name: str
    value: str
    source: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Facts and text, from a live machine or from a paste.

    A name may have several values (two GPUs, two torch versions); the most trusted stands first.

    >>> case = CaseFile(facts=(Fact(name="torch.version", value="2.9.1+cpu", source="torch==2.9.1+cpu"),))
    >>> case.value("torch.version"), case.value("nvidia.driver")
    ('2.9.1+cpu', None)
    """

    facts: tuple[Observation, ...] = ()
    text: Text = field(default_factory=Text)
    by_name: Mapping[str, tuple[Observation, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names: dict[str, list[Observation]] = {}
        for fact in self.facts:
            known = names.setdefault(fact.name, [])
            if all(row.value != fact.value for row in known):
                known.append(fact)
        object.__setattr__(self, "by_name", MappingProxyType({key: tuple(row) for key, row in names.items()}))

    def of(self, name: str) -> tuple[Observation, ...]:
        """Every fact of a name, each value once."""
        return self.by_name.get(name, ())

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a name, the most trusted first."""
        return tuple(fact.value for fact in self.of(name))

    def value(self, name: str) -> str | None:
        """The most trusted value, None where nothing was seen."""
        rows = self.of(name)
        return rows[0].value if rows else None

    def beside(self, other: Evidence) -> Evidence:
        """Both files' facts, this one's first, with the text of the one that has it."""
        return Evidence(facts=(*self.facts, *other.facts), text=self.text if self.text.lines else other.text)
