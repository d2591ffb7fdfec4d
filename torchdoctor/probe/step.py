"""What a check and a benchmark case are made of, and what each returns."""

# the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import traceback
from typing import Any, Callable, NamedTuple

from .surroundings import behind

__all__ = ["Outcome", "Step", "broken", "failed", "measured", "passed", "skipped", "warned"]

_MAX_CHARACTERS = 400
_MAX_EVIDENCE_LINES = 30


class Outcome(NamedTuple):
    """How a step went.

    `status` is pass, fail, skip or warn, `detail` a sentence. `code` is a stable kebab-case word for the reason where
    it did not pass: the parent decides by it, so a sentence can be reworded freely. `evidence` holds the lines of a
    traceback, `figures` what a benchmark case measured.
    """

    status: str
    detail: str
    evidence: tuple[str, ...] = ()
    figures: dict[str, Any] = {}  # noqa: RUF012  # never changed
    code: str | None = None


class Step(NamedTuple):
    """One thing to verify or to measure.

    `proves` says what a pass shows. `run(torch, device)` does the work. `where` is "once" (device "cpu"), "each" (the
    CPU and every accelerator) or "best" (the fastest device). `limit` is in seconds, on a machine of ordinary speed.
    `tolerance` is how far a correct result may be from the reference, `reason` why that far. `quick` marks a step that
    takes milliseconds and imports nothing slow.
    """

    id: str
    proves: str
    run: Callable[[Any, str], Outcome]
    where: str = "each"
    limit: float = 60.0
    tolerance: str = "exact"
    reason: str = ""
    quick: bool = False


def passed(detail: str) -> Outcome:
    """It works; the sentence holds the numbers."""
    return Outcome("pass", detail)


def warned(code: str, detail: str) -> Outcome:
    """It works, and the user should know something about it."""
    return Outcome("warn", detail, code=code)


def skipped(code: str, reason: str) -> Outcome:
    """It does not apply here."""
    return Outcome("skip", reason, code=code)


def failed(code: str, detail: str, evidence: tuple[str, ...] = ()) -> Outcome:
    """It does not work."""
    return Outcome("fail", detail, evidence, code=code)


def measured(detail: str, figures: dict[str, Any]) -> Outcome:
    """A benchmark case ran, with these figures."""
    return Outcome("pass", detail, (), figures)


def broken(error: BaseException) -> Outcome:
    """Turn an exception into a failure: its text is the sentence, its traceback the evidence, with limits behind it."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
    shown = [line[:_MAX_CHARACTERS] for line in [*lines[-_MAX_EVIDENCE_LINES:], *behind(error)]]
    return failed("exception", (name + ": " + text if text else name)[:_MAX_CHARACTERS], tuple(shown))
