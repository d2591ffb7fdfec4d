"""Evidence of a diagnosis: every fact that was seen, where it was seen, and the text it came from."""

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
    """One thing that was seen.

    `name` is dotted (`torch.version`), `value` is plain text, `source` is the line, file or call that states it.
    `line` is the number of the line in a pasted text, counted from 1; None for a fact of a live machine.
    """

    name: str
    value: str
    source: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Facts and text, from a live machine or from a pasted report.

    A name may have several values (two GPUs, two torch versions); the most trusted stands first.
    `by_name` maps each name to its facts, each value once.

    >>> evidence = Evidence(facts=(Observation(name="torch.version", value="2.9.1+cpu", source="torch==2.9.1+cpu"),))
    >>> evidence.first("torch.version"), evidence.first("nvidia.driver")
    ('2.9.1+cpu', None)
    """

    facts: tuple[Observation, ...] = ()
    text: Text = field(default_factory=Text)
    by_name: Mapping[str, tuple[Observation, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names: dict[str, dict[str, Observation]] = {}
        for fact in self.facts:
            names.setdefault(fact.name, {}).setdefault(fact.value, fact)
        by_name = {name: tuple(facts.values()) for name, facts in names.items()}
        object.__setattr__(self, "by_name", MappingProxyType(by_name))

    def observations(self, name: str) -> tuple[Observation, ...]:
        """Return every fact of a name, each value once."""
        return self.by_name.get(name, ())

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a name, the most trusted first."""
        return tuple(fact.value for fact in self.observations(name))

    def first(self, name: str) -> str | None:
        """Return the most trusted value, or None if nothing was seen."""
        facts = self.observations(name)
        return facts[0].value if facts else None

    def merged_with(self, other: Evidence) -> Evidence:
        """Return the facts of both, these first, with the text of whichever has one."""
        return Evidence(facts=(*self.facts, *other.facts), text=self.text if self.text.lines else other.text)
