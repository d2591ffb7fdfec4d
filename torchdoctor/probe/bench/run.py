"""Runs the bench suite: prepares each case, times all of them in rounds, and reports each result at the end.

A case that raises is an error, and the others go on. A case that takes the process with it is found by the parent,
which starts us again without it; so it is always informed of the current case.
"""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import time
from typing import Any, Callable

from ..devices import kind
from ..step import Outcome, Step, broken
from .cpu_peak import CpuLimits
from .sampling import Case, Pace, passes
from .workload import Workload

__all__ = ["measure"]


def measure(
    torch: Any,
    selected: list[tuple[Step, str]],
    *,
    quick: bool,
    announce: Callable[[Step, str], None],
    report: Callable[[Step, str, Outcome, float], None],
) -> dict[str, Any]:
    """Run the cases and return the limits of the CPU, where cases ran on it.

    `announce` is called with the case that runs next, `report` with each case's outcome and its seconds.
    """
    pace = Pace.of(quick)
    limits = CpuLimits() if any(kind(device) == "cpu" for _, device in selected) else None
    cases: list[Case] = []
    steps: dict[str, tuple[Step, str]] = {}
    for step, device in selected:
        announce(step, device)
        case = _prepared(torch, step, device, report)
        if case is not None:
            cases.append(case)
            steps[step.id] = (step, device)
        if limits is not None:
            limits.refresh(1)
    for case in passes(cases, pace):
        announce(*steps[case.name])
        try:
            case.time(torch, pace)
        except BaseException as error:  # noqa: BLE001  # SystemExit too is a result
            cases.remove(case)
            report(*steps[case.name], broken(error), case.seconds)
        if limits is not None:
            limits.refresh(1)
    for case in cases:
        report(*steps[case.name], case.outcome(), case.seconds)
    return limits.facts() if limits is not None else {}


def _prepared(
    torch: Any, step: Step, device: str, report: Callable[[Step, str, Outcome, float], None]
) -> Case | None:
    start = time.perf_counter()
    try:
        work: Any = step.run(torch, device)
    except BaseException as error:  # noqa: BLE001  # SystemExit too is a result
        work = broken(error)
    seconds = time.perf_counter() - start
    if isinstance(work, Workload):
        return Case(step.id, device, work, seconds)
    report(step, device, work, seconds)
    return None
