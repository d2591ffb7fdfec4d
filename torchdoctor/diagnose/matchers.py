"""What a rule looks for: words of the text, facts and their values, and how sure each of them makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from torchdoctor.diagnose.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdoctor.diagnose.evidence import Evidence, Observation

    Predicate = Callable[[Evidence], "Match | None"]

__all__ = [
    "Match",
    "Predicate",
    "Sign",
    "all_of",
    "any_of",
    "background",
    "certain",
    "contains",
    "fact",
    "hint",
    "likely",
    "no",
    "os_is",
    "possible",
    "predicate",
]  # fmt: skip

_BEFORE, _AFTER = 240, 480


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What a test found: lines to show, and values by the name they have in the rule's texts."""

    evidence: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """A test, and how sure it makes when nothing else speaks for the rule (0 to 1)."""

    test: Predicate
    weight: float


def certain(found: Predicate) -> Sign:
    """The output itself states it."""
    return Sign(test=found, weight=0.95)


def likely(found: Predicate) -> Sign:
    """Nearly always this."""
    return Sign(test=found, weight=0.8)


def possible(found: Predicate) -> Sign:
    """This among a few."""
    return Sign(test=found, weight=0.55)


def hint(found: Predicate) -> Sign:
    """Speaks for it; alone it is a guess, told where nothing better shows."""
    return Sign(test=found, weight=0.3)


def background(found: Predicate) -> Sign:
    """Speaks for it where something else does; it is in healthy reports too, and says nothing alone."""
    return Sign(test=found, weight=0.2)


def contains(*needles: str, matching: str | None = None) -> Predicate:
    """The text has one of the needles, in lower case; `matching`, a pattern, must fit around it.

    Needles and pattern see the text in lower case with single blanks; a blank in either is also the end of a
    line. Named groups of the pattern become values, as they were written.
    """

    def look(case: Evidence) -> Match | None:
        text = case.text
        for needle in needles:
            for position in text.find(needle):
                if matching is None:
                    return Match(evidence=(shown(text.line_at(position)[1]),))
                start = max(position - _BEFORE, 0)
                end = position + len(needle) + _AFTER
                match = _wrapped(matching).search(text.rows[start:end])
                if match is None:
                    continue
                values = {
                    name: text.flat[start + match.start(name) : start + match.end(name)]
                    for name, value in match.groupdict().items()
                    if value is not None
                }
                return Match(evidence=(shown(text.line_at(position)[1]),), values=values)
        return None

    return look


@lru_cache(maxsize=2048)
def _wrapped(pattern: str) -> re.Pattern[str]:
    # A blank of the pattern is also the end of a line, where a terminal wrapped the sentence.
    # In ASCII: a Chinese character beside a word is no part of it.
    return re.compile(pattern.replace(" ", r"\s"), re.ASCII)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def fact(name: str, value: str | Callable[[str], bool] | None = None) -> Predicate:
    """A fact of that name is there; with a value that fits the whole pattern, or passes the function."""

    def look(case: Evidence) -> Match | None:
        for row in case.observations(name):
            if value is None or (
                _compiled(value).fullmatch(row.value) if isinstance(value, str) else value(row.value)
            ):
                return Match(evidence=(source(row),))
        return None

    return look


def source(row: Observation) -> str:
    """The line of a fact, fit to be shown."""
    return shown(row.source)


def predicate(reason: Callable[[Evidence], Match | None]) -> Predicate:
    """A function of the case file as a test: for reasoning over several facts."""
    return reason


def all_of(*tests: Predicate) -> Predicate:
    """Every test finds something."""

    def look(case: Evidence) -> Match | None:
        found = []
        for one in tests:
            seen = one(case)
            if seen is None:
                return None
            found.append(seen)
        return _joined(found)

    return look


def any_of(*tests: Predicate) -> Predicate:
    """The first test that finds something."""

    def look(case: Evidence) -> Match | None:
        return next((seen for seen in (one(case) for one in tests) if seen is not None), None)

    return look


def no(*tests: Predicate) -> Predicate:
    """None of the tests finds anything."""

    def look(case: Evidence) -> Match | None:
        return Match() if all(one(case) is None for one in tests) else None

    return look


def os_is(*names: str) -> Predicate:
    """The operating system is one of these (linux, windows, macos), or is not known."""

    def look(case: Evidence) -> Match | None:
        system = case.first("os.system")
        return Match() if system is None or system in names else None

    return look


def _joined(found: list[Match]) -> Match:
    values: dict[str, str] = {}
    for seen in found:
        values.update(seen.values)
    return Match(
        evidence=tuple(dict.fromkeys(line for seen in found for line in seen.evidence)), values=values
    )
