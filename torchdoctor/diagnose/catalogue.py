"""The catalogue of failures: their files as values, with the signs as functions."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.diagnose.compiled_data import DataFileError, load_compiled
from torchdoctor.diagnose.failure import Failure, FixStep, Layer
from torchdoctor.diagnose.failure_files import compile_failures
from torchdoctor.diagnose.matchers import (
    WEIGHTS,
    Sign,
    all_of,
    any_of,
    contains,
    fact,
    fact_below,
    none_of,
)
from torchdoctor.diagnose.predicates import PREDICATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdoctor.diagnose.matchers import Predicate

__all__ = ["all_failures", "build_failures", "condition_predicate", "failures_by_id", "live_failures"]

_FOLDER = Path(__file__).with_name("failures")


@cache
def all_failures() -> tuple[Failure, ...]:
    """Return every failure by its id, with the signs that a text can show.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    return tuple(
        replace(
            failure,
            signs=tuple(sign for sign in failure.signs if not sign.live_only),
            unless=tuple(sign for sign in failure.unless if not sign.live_only),
        )
        for failure in live_failures()
    )


@cache
def live_failures() -> tuple[Failure, ...]:
    """Return every failure by its id, with those signs too that only a live machine shows.

    Raises DataFileError in a checkout with a file that is wrong.
    """
    return build_failures(_document())


@cache
def _document() -> Any:
    return load_compiled(_FOLDER, compile_failures)


def condition_predicate(condition: Any) -> Predicate:
    """Return the predicate of a condition that stands outside of the failures' files.

    Raises DataFileError for an unknown predicate.
    """
    return _Signs(_document()["shared"]).predicate(condition)


@cache
def failures_by_id() -> Mapping[str, Failure]:
    """Return `all_failures()` by their ids. Raises DataFileError as that does."""
    return {failure.id: failure for failure in all_failures()}


def build_failures(document: Mapping[str, Any]) -> tuple[Failure, ...]:
    """Return the failures of the document of `compile_failures`. Raises DataFileError for an unknown predicate."""
    signs = _Signs(document["shared"])
    return tuple(_failure(entry, signs) for entry in document["failures"].values())


class _Signs:
    """Builds predicates from conditions; each shared sign is built once."""

    def __init__(self, shared: Mapping[str, Any]) -> None:
        self._conditions = shared
        self._shared: dict[str, Predicate] = {}

    def shared(self, name: str) -> Predicate:
        if name not in self._shared:
            self._shared[name] = self.predicate(self._conditions[name])
        return self._shared[name]

    def predicate(self, condition: Any) -> Predicate:
        if isinstance(condition, str):
            return self.shared(condition)
        tests = [self._positive(condition)] if len(condition.keys() & _POSITIVE) else []
        if "none" in condition:
            tests.append(none_of(self._each(condition["none"])))
        return tests[0] if len(tests) == 1 else all_of(tests)

    def _each(self, conditions: list[Any]) -> list[Predicate]:
        return [self.predicate(condition) for condition in conditions]

    def _positive(self, condition: Mapping[str, Any]) -> Predicate:
        if "shared" in condition:
            return self.shared(condition["shared"])
        if "text" in condition:
            return contains(condition["text"], condition.get("regex"))
        if "below" in condition:
            return fact_below(condition["fact"], condition["below"])
        if "fact" in condition:
            return fact(condition["fact"], condition.get("value"))
        if "predicate" in condition:
            return _named(condition["predicate"], condition.get("with", {}))
        return (
            any_of(self._each(condition["any"]))
            if "any" in condition
            else all_of(self._each(condition["all"]))
        )


_POSITIVE = frozenset({"shared", "text", "fact", "predicate", "any", "all"})


def _named(name: str, keywords: Mapping[str, Any]) -> Predicate:
    if name not in PREDICATES:
        raise DataFileError(f"there is no predicate {name!r} in torchdoctor/diagnose/predicates")
    return partial(PREDICATES[name], **keywords) if keywords else PREDICATES[name]


def _failure(entry: Mapping[str, Any], signs: _Signs) -> Failure:
    try:
        return Failure(
            id=entry["id"],
            layer=Layer[entry["layer"].replace("-", "_").upper()],
            severity=entry["severity"],
            title=entry["title"],
            explanation=entry["explanation"],
            signs=tuple(_sign(sign, signs) for sign in entry["sign"]),
            fixes=tuple(_fix(step, signs) for step in entry["fix"]),
            details=tuple(entry.get("details", ())),
            unless=tuple(_sign(sign, signs) for sign in entry.get("unless", ())),
            masks=tuple(entry.get("masks", ())),
            asks=tuple(entry.get("asks", ("error",))),
            os=tuple(entry["os"]),
            confirm=entry["confirm"],
            repair=entry.get("repair", "none"),
            kernel_problem=entry.get("kernel_problem"),
            seen_as=tuple(entry.get("seen_as", ())),
            threads=tuple(entry.get("threads", ())),
            frequency=entry.get("frequency"),
        )
    except DataFileError as error:
        raise DataFileError(f"{entry['id']}.toml: {error}") from error


def _sign(sign: Mapping[str, Any], signs: _Signs) -> Sign:
    return Sign(
        matches=signs.predicate(sign),
        weight=WEIGHTS[sign["confidence"]] if "confidence" in sign else 0.0,
        live_only=sign.get("on") == "live",
    )


def _fix(step: Mapping[str, Any], signs: _Signs) -> FixStep:
    return FixStep(
        text=step.get("text", ""),
        command=step.get("command", ""),
        who=step.get("who", "user"),
        os=tuple(step.get("os", ())),
        installer=tuple(step.get("installer", ())),
        when=signs.predicate(step["when"]) if "when" in step else None,
        fallback=_fix(step["fallback"], signs) if "fallback" in step else None,
    )
