"""What a sign of a failure looks for: words of the text, facts and their values, and how strong evidence each is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose.text import displayable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torchdoctor.diagnose.evidence import Evidence, Observation

    Predicate = Callable[[Evidence], "Match | None"]

__all__ = [
    "WEIGHTS",
    "Match",
    "Predicate",
    "Sign",
    "all_of",
    "any_of",
    "contains",
    "fact",
    "fact_below",
    "none_of",
    "source",
]

WEIGHTS = {"certain": 0.95, "likely": 0.8, "possible": 0.55, "hint": 0.3, "background": 0.2}
"""The confidence of a sign -> its weight from 0 to 1 where nothing else is evidence.

`certain`: the output itself states the failure. `likely`: nearly always this failure. `possible`: one of a few.
`hint`: weak evidence, reported only if no stronger finding exists. `background`: also in healthy reports, counts only
beside another sign.
"""
# How much of the text around a needle a regular expression sees.
_SHORT_WORD_CHARACTERS = 5  # a needle that is one word of this length is a word of its own
_BEFORE_CHARACTERS, _AFTER_CHARACTERS = 240, 480


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What a predicate found: `evidence` lines to show, and `values` of placeholders by their name."""

    evidence: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """A predicate with its `weight` (0 to 1); `live_only` if it is meant for a live machine and not for a text."""

    matches: Predicate
    weight: float = 0.0
    live_only: bool = False


def contains(needles: Sequence[str], regex: str | None = None) -> Predicate:
    """Match if the text has one of the needles, not within a longer word, and `regex` fits around it.

    Needles and regex see the text in lower case with single blanks; a blank in either is also the end of a line.
    Named groups of the regex become values, in the case in which they were written.
    """

    def matches(evidence: Evidence) -> Match | None:
        text = evidence.text
        for needle in needles:
            for position in text.find(needle):
                if _is_inside_word(text.lower, position, position + len(needle), strict=regex is None):
                    continue
                if regex is None:
                    return Match(evidence=(displayable(text.line_at(position)[1]),))
                start = max(position - _BEFORE_CHARACTERS, 0)
                end = position + len(needle) + _AFTER_CHARACTERS
                match = _wrapped(regex).search(text.rows[start:end])
                if match is None:
                    continue
                values = {
                    name: text.flat[start + match.start(name) : start + match.end(name)]
                    for name, value in match.groupdict().items()
                    if value is not None
                }
                return Match(evidence=(displayable(text.line_at(position)[1]),), values=values)
        return None

    return matches


def _is_inside_word(lower: str, start: int, end: int, *, strict: bool) -> bool:
    """Whether a needle that begins or ends with a letter or digit is a part of a longer word: atomic64, 12.60.

    If `strict`, as no regular expression looks at what is around it, so is one behind an underscore, and a short
    word that letters follow.
    """
    if lower.startswith("pytorch", start - 2):
        start -= 2
    before, after = lower[max(start - 1, 0) : start], lower[end : end + 1]
    needle = lower[start:end]
    begins_a_word = needle[0].isascii() and needle[0].isalnum()
    if begins_a_word and before.isascii() and (before.isalnum() or (strict and before == "_")):
        return True
    if not after.isascii():
        return False
    is_short = strict and len(needle) <= _SHORT_WORD_CHARACTERS and needle.isascii() and needle.isalpha()
    return (after.isdigit() and needle[-1].isdigit()) or (is_short and after.isalpha() and after != "s")


@lru_cache(maxsize=2048)
def _wrapped(pattern: str) -> re.Pattern[str]:
    # A blank of the pattern is also the end of a line, where a terminal wrapped the sentence.
    # In ASCII: a Chinese character beside a word is no part of it.
    return re.compile(pattern.replace(" ", r"\s"), re.ASCII)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def fact(name: str, value: str | None = None) -> Predicate:
    """Match if there is a fact of that name, with a value that the regular expression `value` fits as a whole."""

    def matches(evidence: Evidence) -> Match | None:
        for observation in evidence.observations(name):
            if value is None or _compiled(value).fullmatch(observation.value):
                return Match(evidence=(source(observation),))
        return None

    return matches


def fact_below(name: str, version: str) -> Predicate:
    """Match if a fact of that name is a version of numbers below `version`."""
    limit = parse_numeric_version(version) or ()

    def matches(evidence: Evidence) -> Match | None:
        for observation in evidence.observations(name):
            numbers = parse_numeric_version(observation.value)
            if numbers is not None and numbers < limit:
                return Match(evidence=(source(observation),))
        return None

    return matches


def source(observation: Observation) -> str:
    """Return the line that states a fact, fit to be shown."""
    return displayable(observation.source)


def all_of(tests: Sequence[Predicate]) -> Predicate:
    """Match if every predicate matches; evidence stands in the order of the predicates."""

    def matches(evidence: Evidence) -> Match | None:
        found = []
        for test in tests:
            match = test(evidence)
            if match is None:
                return None
            found.append(match)
        values: dict[str, str] = {}
        for match in found:
            values.update(match.values)
        lines = dict.fromkeys(line for match in found for line in match.evidence)
        return Match(evidence=tuple(lines), values=values)

    return matches


def any_of(tests: Sequence[Predicate]) -> Predicate:
    """Match as the first predicate that matches."""

    def matches(evidence: Evidence) -> Match | None:
        return next((match for match in (test(evidence) for test in tests) if match is not None), None)

    return matches


def none_of(tests: Sequence[Predicate]) -> Predicate:
    """Match, without evidence, if none of the predicates matches."""

    def matches(evidence: Evidence) -> Match | None:
        return Match() if all(test(evidence) is None for test in tests) else None

    return matches
