"""Runs the probe to its end: again after each step that crashed or hung, without that step."""

from __future__ import annotations

import difflib
import os
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.bench.bottlenecks import with_causes
from torchdoctor.bench.gpu_telemetry import GpuWatch
from torchdoctor.bench.model import BenchReport, BenchResult
from torchdoctor.bench.peaks import with_peaks
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.errors import EnvironmentUnusable, UsageError
from torchdoctor.probe import suite
from torchdoctor.verify.devices import valid_device
from torchdoctor.verify.memory import most_memory
from torchdoctor.verify.model import CheckResult, VerifyReport
from torchdoctor.verify.probe_process import ProbeProcess
from torchdoctor.verify.translate import translatable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["bench", "cases_named", "select_checks", "verify"]

# From its start until the interpreter says hello: a cold network disk takes seconds.
_HELLO = 60.0
# Between two steps and at the end there is nothing to do.
_BETWEEN = 60.0


def verify(
    python: Path,
    *,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    quick: bool = False,
    devices: Sequence[str] | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
    time_limit_scale: float = 1.0,
    memory_mib: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> VerifyReport:
    """Prove that PyTorch works in the environment of this interpreter.

    `only` and `skip` name checks, `quick` leaves out those that take longer than moments, `devices` limits them to
    some ("cpu", "cuda:0", "cuda" for all of them). A check that takes more than `memory_mib` of host memory is
    stopped, by default more than most of what is free.
    `on_result` hears each result when it is known. `environ` is what the interpreter gets, by default our own.
    Raises `EnvironmentUnusable` when there is no interpreter to run, `UsageError` for a check or a
    device that cannot exist.
    """
    selected = select_checks(only, skip, quick=quick)
    for name in devices or ():
        valid_device(name)
    checks: list[CheckResult] = []

    def take(row: Mapping[str, Any]) -> None:
        # The import and the search for devices come first whatever is selected; their failure always counts.
        if row["id"] not in selected and row["status"] != "fail":
            return
        checks.append(_check(row))
        if on_result is not None:
            on_result(checks[-1])

    run = _Run("verify", selected, devices, time_limit_scale, take, memory_mib)
    run.to_the_end(python, os.environ if environ is None else environ)
    return VerifyReport(environment=run.environment, checks=tuple(checks))


def bench(
    python: Path,
    *,
    device: str | None = None,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    quick: bool = False,
    on_start: Callable[[str], None] | None = None,
    on_result: Callable[[BenchResult], None] | None = None,
    time_limit_scale: float = 1.0,
    environ: Mapping[str, str] | None = None,
) -> BenchReport:
    """Measure how fast PyTorch is in the environment of this interpreter, on its best device or on the one named.

    `only` and `skip` name cases, or the first words of several (`matmul`); `quick` leaves out those that tell little
    more. `on_start` hears the name of each case when its turn comes. What cannot be measured is a result with an
    `error`; so is the import, or the search for devices, when that failed.
    Raises `UsageError` for a name of no case, or of no device.
    """
    selected = cases_named(only, skip, quick=quick)
    if device is not None:
        valid_device(device)
    results: list[BenchResult] = []

    def take(row: Mapping[str, Any]) -> None:
        # A case that does not apply, or not any more since torch could not be imported, has no figure.
        if row["status"] == "skip" or (row["id"] not in selected and row["status"] != "fail"):
            return
        device = next(
            (one for one in run.environment.get("devices") or () if one["device"] == row["device"]), None
        )
        results.append(replace(_figure(row), telemetry=watch.seen(row["id"], device)))
        if on_result is not None:
            on_result(results[-1])

    def start(case: str) -> None:
        watch.mark(case, run.environment)
        if on_start is not None:
            on_start(case)

    environ = os.environ if environ is None else environ
    watch = GpuWatch(environ)
    run = _Run("bench", selected, None if device is None else [device], time_limit_scale, take)
    run.ask(quick=quick)
    run.on_start = start
    try:
        run.to_the_end(python, environ)
    finally:
        watch.stop()
    report = BenchReport(environment=run.environment, results=tuple(results), quick=quick)
    return with_causes(with_peaks(report))


def cases_named(only: Iterable[str], skip: Iterable[str], *, quick: bool) -> list[str]:
    """The cases to run, in their order. Raises `UsageError` for a name of no case."""
    from torchdoctor.probe.bench.registry import QUICK

    known = [step.id for step in suite.BENCH]
    only, skip = list(only), list(skip)
    for name in (*only, *skip):
        if not any(_named(case, name) for case in known):
            raise UsageError(
                message("there is no case named {name}", name=repr(name)),
                fix=message("the cases are {names}", names=joined(known)),
            )
    return [
        case
        for case in known
        if (any(_named(case, name) for name in only) if only else not quick or case in QUICK)
        and not any(_named(case, name) for name in skip)
    ]


def _named(case: str, name: str) -> bool:
    return case == name or case.startswith(name + "-")


def select_checks(only: Iterable[str], skip: Iterable[str], *, quick: bool = False) -> list[str]:
    """The checks to run, in their order. A check named in `only` runs also when it is no quick one."""
    known = [step.id for step in suite.VERIFY]
    usual = {step.id for step in suite.VERIFY if step.quick or not quick}
    only, skip = list(only), list(skip)
    for name in (*only, *skip):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = message(", did you mean {name}?", name=near[0]) if near else ""
            raise UsageError(
                message("there is no check named {name}{hint}", name=repr(name), hint=hint),
                fix=message("the checks are {names}", names=joined(known)),
            )
    return [name for name in known if name in (only or usual) and name not in skip]


def _check(row: Mapping[str, Any]) -> CheckResult:
    return CheckResult(
        id=row["id"],
        device=row["device"],
        status=row["status"],
        seconds=row["seconds"],
        detail=translatable(row["detail"], row.get("parts")),
        evidence=tuple(row["evidence"]),
    )


def _figure(row: Mapping[str, Any]) -> BenchResult:
    figures = {
        field.name: row["figures"][field.name]
        for field in fields(BenchResult)
        if field.name in row["figures"]
    }
    if figures.get("note"):
        figures["note"] = translatable(figures["note"], row.get("note_parts"))
    if "rounds_s" in figures:
        figures["rounds_s"] = tuple(figures["rounds_s"])
    common = {"id": row["id"], "device": row["device"], "seconds": row["seconds"]}
    if row["status"] == "fail":
        return BenchResult(
            **common, error=translatable(row["detail"], row.get("parts")), evidence=tuple(row["evidence"])
        )
    return BenchResult(**(common | figures))


class _Run:
    """A suite from the first process to the last. Each row that comes out goes to `take` once."""

    def __init__(
        self,
        name: str,
        selected: Sequence[str],
        devices: Sequence[str] | None,
        scale: float,
        take: Callable[[Mapping[str, Any]], None],
        memory_mib: int | None = None,
    ) -> None:
        self.environment: dict[str, Any] = {}
        self._selected = list(selected)
        self._request = {"suite": name, "selected": self._selected, "devices": devices, "scale": scale}
        self._limits = {step.id: step.limit for step in (suite.IMPORT, suite.DEVICES, *suite.SUITES[name])}
        self._scale = scale
        self._memory = most_memory() if memory_mib is None else memory_mib
        self._take = take
        self._finished: dict[tuple[str, str], str] = {}
        self._planned = [(name, "cpu") for name in self._selected]
        self._current: tuple[str, str] | None = None
        self._answered = False
        self._started = 0.0
        self.on_start: Callable[[str], None] | None = None

    def ask(self, **more: Any) -> None:
        """Hand the suite something more."""
        self._request.update(more)

    def to_the_end(self, python: Path, environ: Mapping[str, str]) -> None:
        """Start processes until one gets through. Each that does not has finished one step more, so this ends."""
        try:
            work = tempfile.TemporaryDirectory(prefix="torchdoctor-", ignore_cleanup_errors=True)
        except OSError as error:
            raise EnvironmentUnusable(
                message("no temporary folder can be made: {why}", why=error.strerror or error),
                fix=message("set TMPDIR to a folder that can be written to"),
                code="no-temporary-folder",
            ) from error
        with work as folder:
            while not self._through(python, Path(folder), environ):
                pass

    def _through(self, python: Path, work: Path, environ: Mapping[str, str]) -> bool:
        finished = [[name, device, status] for (name, device), status in self._finished.items()]
        self._current, self._answered = None, False
        child = ProbeProcess(python, {**self._request, "finished": finished}, work, environ)
        try:
            return self._follow(child, python)
        finally:
            child.stop()

    def _follow(self, child: ProbeProcess, python: Path) -> bool:
        # These two are only ever lengthened: what a short limit is tried on is the steps.
        patience = max(self._scale, 1.0)
        limit = _HELLO * patience
        while True:
            try:
                event = child.next_event(limit, self._memory)
            except MemoryError as error:
                child.stop()
                return self._lost(child, python, str(error))
            except TimeoutError:
                child.stop()
                return self._lost(
                    child, python, message("took longer than {limit:g} s and was stopped", limit=limit)
                )
            if event is None:
                return self._lost(child, python, child.ended)
            if event["event"] == "end":
                return True
            if event["event"] == "again":
                # The step that just failed has spoilt the process: a new one goes on.
                return False
            step = self._heed(event)
            limit = _BETWEEN * patience if step is None else self._limits[step] * self._scale

    def _heed(self, event: Mapping[str, Any]) -> str | None:
        """Note the event; the step that now runs, if one does."""
        match event["event"]:
            case "hello" | "environment":
                self._answered = True
                self.environment.update(event["values"])
            case "plan":
                self._planned = [(name, device) for name, device in event["steps"]]
            case "start":
                self._current, self._started = (event["id"], event["device"]), time.monotonic()
                if self.on_start is not None:
                    self.on_start(event["id"])
            case "result":
                self._current = None
                self._record(event)
        # A step may say more than its result: its own limit still holds then.
        return self._current[0] if self._current else None

    def _lost(self, child: ProbeProcess, python: Path, how: str) -> bool:
        """The process is gone before its end: the step it was at has failed. Whether there is no more to do."""
        if not self._answered and not self._finished:
            said = ": " + "; ".join(child.stderr[-3:]) if child.stderr else ""
            raise EnvironmentUnusable(
                message(
                    "{python} does not work as a Python interpreter, it {how}{said}",
                    python=python,
                    how=how,
                    said=said,
                ),
                fix=message("name another environment, or make one with: torchdoctor install"),
                code="no-python",
            )
        if self._current is None or self._current in self._finished:
            # It is not a step that does it: another process would go the same way.
            for name, device in self._planned:
                self._fail(
                    name, device, message("not run, because the process {how} before it", how=how), child
                )
            return True
        name, device = self._current
        self._fail(name, device, message("the process {how}", how=how), child)
        if name == suite.IMPORT.id:
            for left in self._selected:
                self._record(_row(left, "cpu", "skip", suite.NO_TORCH))
        return name == suite.IMPORT.id

    def _fail(self, name: str, device: str, detail: str, child: ProbeProcess) -> None:
        seconds = round(time.monotonic() - self._started, 3) if (name, device) == self._current else 0.0
        self._record(_row(name, device, "fail", detail, seconds=seconds, evidence=child.stderr))

    def _record(self, row: Mapping[str, Any]) -> None:
        key = (row["id"], row["device"])
        if key not in self._finished:
            self._finished[key] = row["status"]
            self._take(row)


def _row(
    name: str, device: str, status: str, detail: str, *, seconds: float = 0.0, evidence: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "id": name,
        "device": device,
        "status": status,
        "seconds": seconds,
        "detail": detail,
        "evidence": evidence,
        "figures": {},
    }
