"""What a check and a benchmark case are made of, and what each gives back."""

from __future__ import annotations

import traceback
from typing import Any, Callable, NamedTuple

__all__ = ["Outcome", "Step", "broken", "failed", "measured", "passed", "skipped", "warned"]

_LONGEST = 400
_EVIDENCE_LINES = 30


class Outcome(NamedTuple):
    """How a step went: pass, fail, skip or warn; a sentence; for a failure what was seen; for a case the figures."""

    status: str
    detail: str
    evidence: tuple[str, ...] = ()
    figures: dict[str, Any] = {}  # noqa: RUF012  # never changed


class Step(NamedTuple):
    """One thing to prove or to measure.

    `run(torch, device)` does it. `where` says on what: "once" (device "cpu"), "each" (the CPU and every
    accelerator) or "best" (the fastest device there is). `limit` is in seconds, on a machine of ordinary speed.
    `tolerance` says how far a right result may be from the reference, `reason` why that far. `quick` marks
    what takes milliseconds and imports nothing that takes long.
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


def warned(detail: str) -> Outcome:
    """It works, and the user should know something about it."""
    return Outcome("warn", detail)


def skipped(why: str) -> Outcome:
    """It does not apply here."""
    return Outcome("skip", why)


def failed(detail: str, evidence: tuple[str, ...] = ()) -> Outcome:
    """It does not work."""
    return Outcome("fail", detail, evidence)


def measured(detail: str, figures: dict[str, Any]) -> Outcome:
    """A benchmark case that ran, with its figures."""
    return Outcome("pass", detail, (), figures)


def broken(error: BaseException) -> Outcome:
    """An exception as a failure: its last line as the sentence, its traceback as evidence."""
    said = " ".join(str(error).split())
    name = type(error).__name__
    lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
    shown = [line[:_LONGEST] for line in lines[-_EVIDENCE_LINES:]]
    return failed((name + ": " + said if said else name)[:_LONGEST], tuple(shown))
