"""Times the cases in many short rounds, one case after the other, rather than each case in one long round.

A disturbance of a machine lasts for seconds to minutes: a case measured once would have all of it or nothing.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from ..step import Outcome, measured
from .timing import one_round

if TYPE_CHECKING:
    from .workload import Workload

__all__ = ["MIN_CPU_SHARE", "Case", "Pace", "passes"]

# An undisturbed round gets 0.97 to 1.00 of the CPU time that it wants.
MIN_CPU_SHARE = 0.97
_MIN_ROUNDS = 3
_LOW_QUANTILE = 0.1


class Pace(NamedTuple):
    """How long to measure.

    `rounds` of `round_s` seconds each, `again` more for a case that was disturbed; at most `case_s` seconds for a case
    and `all_s` for all of them.
    """

    rounds: int
    round_s: float
    again: int
    case_s: float
    all_s: float

    @classmethod
    def of(cls, quick: bool) -> Pace:
        """Return the pace: the quick run takes seconds, the full one a minute or two."""
        return cls(5, 0.06, 4, 1.5, 10.0) if quick else cls(8, 0.25, 6, 8.0, 100.0)


class Case:
    """One case on its device: its workload, and the rounds that were timed."""

    def __init__(self, name: str, device: str, work: Workload, prepared_s: float) -> None:
        self.name, self.device, self._work = name, device, work
        self.seconds = prepared_s
        self._measured_s = 0.0
        self._rounds: list[tuple[list[float], float | None]] = []

    def time(self, torch: Any, pace: Pace) -> None:
        """Time one more round."""
        start = time.perf_counter()
        taken = one_round(torch, self._work, self.device, self._work.round_s or pace.round_s)
        spent = time.perf_counter() - start
        self._rounds.append((taken.times, taken.cpu_share))
        self.seconds += spent
        self._measured_s += spent

    def wants_more(self, pace: Pace) -> bool:
        """Return whether the case has time left, or too few rounds."""
        return self._measured_s < pace.case_s or len(self._rounds) < _MIN_ROUNDS

    def disturbed(self) -> bool:
        """Return whether too few rounds were undisturbed."""
        return (
            len([share for _, share in self._rounds if share is None or share >= MIN_CPU_SHARE]) < _MIN_ROUNDS
        )

    def outcome(self) -> Outcome:
        """Return the median of the undisturbed rounds, or if they are too few of the fastest tenth of all calls.

        The share of CPU time then shows that the machine was busy; the spread is that of all calls.
        """
        clean = [(calls, share) for calls, share in self._rounds if share is None or share >= MIN_CPU_SHARE]
        enough = len(clean) >= _MIN_ROUNDS
        used = clean if enough else self._rounds
        times = sorted(seconds for calls, _ in used for seconds in calls)
        median = statistics.median(times if enough else times[: max(_MIN_ROUNDS, len(times) // 10)])
        # The best of the rounds' low quantiles: one lucky sample is no speed, one lucky round may be.
        lows = [_quantile(sorted(calls), _LOW_QUANTILE) for calls, _ in self._rounds]
        best = min(*lows, median)
        shares = [share for _, share in used if share is not None]
        work = self._work
        value = _short(work.value(median))
        figures = {
            "id": work.id or self.name,
            "dtype": work.dtype,
            "params": work.params,
            "value": value,
            "best_value": _short(work.value(best)),
            "unit": work.unit,
            "median_s": median,
            "best_s": best,
            "iqr_s": _quantile(times, 0.75) - _quantile(times, 0.25),
            "repeats": len(times),
            "rounds_s": [statistics.median(calls) for calls, _ in used] if enough else lows,
            "rounds_disturbed": len(self._rounds) - len(clean),
            "cpu_share": round(statistics.mean(shares), 4) if shares else None,
            "threads": work.threads,
            "flop": work.flop,
            "bytes": work.moved,
            "note": work.note,
        }
        return measured("%.4g %s" % (value, work.unit), figures)  # noqa: UP031


def passes(cases: list[Case], pace: Pace) -> Iterator[Case]:
    """Yield the case whose turn it is: every case once a round, then those that were disturbed a few times more.

    A case that is removed from `cases` meanwhile gets no more turns.
    """
    end = time.monotonic() + pace.all_s
    for turn in range(pace.rounds + pace.again):
        for case in list(cases):
            due = turn < pace.rounds or case.disturbed()
            if turn >= _MIN_ROUNDS and time.monotonic() > end:
                return
            if due and case in cases and case.wants_more(pace):
                yield case


def _quantile(ordered: list[float], part: float) -> float:
    """Interpolate between the two nearest values."""
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _short(value: float) -> float:
    # Five digits: a timer is no more exact.
    return float("%.5g" % value)  # noqa: UP031
