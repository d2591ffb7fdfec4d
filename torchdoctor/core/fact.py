"""A fact with its evidence: found, absent, or unknown and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, NoReturn, TypeVar

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from torchdoctor.core.system import System

__all__ = ["Fact", "NamedFact", "absent", "found", "unknown", "unread"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact(Generic[T_co]):
    """What one probe learnt: `value` when found, `why` when unknown, and always where it looked."""

    state: Literal["found", "absent", "unknown"]
    source: str
    value: T_co | None = None
    why: str | None = None

    def __str__(self) -> str:
        if self.state == "found":
            return f"{self.value} ({self.source})"
        return f"{self.state}{f': {self.why}' if self.why else ''} ({self.source})"


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedFact:
    """A fact and its dotted name, such as `nvidia.driver`."""

    name: str
    fact: Fact[object]


def found(value: T, source: str) -> Fact[T]:
    """Seen at `source`."""
    return Fact(state="found", value=value, source=source)


def absent(source: str, *, why: str | None = None) -> Fact[NoReturn]:
    """Proven not to be there: `source` could be read and says so."""
    return Fact(state="absent", source=source, why=sanitize_line(why, limit=300) if why else None)


def unknown(why: str, source: str) -> Fact[NoReturn]:
    """Nobody can tell: `source` could not be read, or what it says makes no sense."""
    return Fact(state="unknown", why=sanitize_line(why, limit=300) or "no reason was given", source=source)


def unread(system: System, path: str) -> Fact[NoReturn]:
    """Of a file that gave no text: absent when it is not there, unknown when it is and may not be read."""
    return unknown(message("it cannot be read"), path) if system.exists(path) else absent(path)
