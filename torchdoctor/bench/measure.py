"""Measures how fast PyTorch is in an environment: runs the probe's bench suite and explains its figures."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from torchdoctor.bench.bottlenecks import with_causes
from torchdoctor.bench.gpu_telemetry import GpuTelemetry
from torchdoctor.bench.model import BenchReport, BenchResult
from torchdoctor.bench.peaks import with_peaks
from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import UsageError
from torchdoctor.probe import suite
from torchdoctor.verify.devices import valid_device
from torchdoctor.verify.runner import SuiteRunner
from torchdoctor.verify.translate import translatable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from torchdoctor.verify.step_result import StepResult

__all__ = ["bench", "select_cases"]


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

    `only` and `skip` name cases, or the first words of several (`matmul`); `quick` leaves out the cases that add
    little. `on_start` is called with the name of each case before it runs, `on_result` with each result. A case that
    cannot be measured is a result with an `error`, and so is a failed import or search for devices.

    Returns the results in the order in which they were measured, with their peaks and causes. Raises `UsageError` for
    an unknown case or device, and `EnvironmentUnusable` when the interpreter cannot be run.
    """
    selected = select_cases(only, skip, quick=quick)
    if device is not None:
        valid_device(device)
    environ = os.environ if environ is None else environ
    collector = _Collector(selected, GpuTelemetry(environ), on_start, on_result)
    runner = SuiteRunner(
        "bench",
        selected,
        devices=None if device is None else [device],
        time_limit_scale=time_limit_scale,
        on_start=lambda case: collector.start(case, runner.environment),
        on_result=lambda step: collector.take(step, runner.environment),
        request={"quick": quick},
    )
    try:
        runner.run(python, environ)
    finally:
        collector.telemetry.stop()
    report = BenchReport(environment=runner.environment, results=tuple(collector.results), quick=quick)
    return with_causes(with_peaks(report))


class _Collector:
    """The results of the cases so far, each with the telemetry of its GPU."""

    def __init__(
        self,
        selected: list[str],
        telemetry: GpuTelemetry,
        on_start: Callable[[str], None] | None,
        on_result: Callable[[BenchResult], None] | None,
    ) -> None:
        self.results: list[BenchResult] = []
        self.telemetry = telemetry
        self._selected, self._on_start, self._on_result = selected, on_start, on_result

    def start(self, case: str, environment: Mapping[str, Any]) -> None:
        """Note that a case begins."""
        self.telemetry.start_case(case, environment)
        if self._on_start is not None:
            self._on_start(case)

    def take(self, step: StepResult, environment: Mapping[str, Any]) -> None:
        """Keep a case's result. A skipped case has no figure; a failed import counts although nobody selected it."""
        if step.status == "skip" or (step.id not in self._selected and step.status != "fail"):
            return
        devices = environment.get("devices") or ()
        device = next((described for described in devices if described["device"] == step.device), None)
        result = replace(_result_of(step), telemetry=self.telemetry.of_case(step.id, device))
        self.results.append(result)
        if self._on_result is not None:
            self._on_result(result)


def select_cases(only: Iterable[str], skip: Iterable[str], *, quick: bool) -> list[str]:
    """Return the ids of the cases to run, in the order in which they run.

    Each name in `only` and `skip` is a case or the first words of several. A case named in `only` runs also when
    `quick` would leave it out. Raises `UsageError` for a name that fits no case.
    """
    from torchdoctor.probe.bench.registry import QUICK

    known = [step.id for step in suite.BENCH]
    only, skip = list(only), list(skip)
    for name in (*only, *skip):
        if not any(_fits(case, name) for case in known):
            raise UsageError(
                message("there is no case named {name}", name=repr(name)),
                fix=message("the cases are {names}", names=joined(known)),
            )
    if only:
        wanted = [case for case in known if any(_fits(case, name) for name in only)]
    else:
        wanted = [case for case in known if not quick or case in QUICK]
    return [case for case in wanted if not any(_fits(case, name) for name in skip)]


def _fits(case: str, name: str) -> bool:
    return case == name or case.startswith(name + "-")


def _result_of(step: StepResult) -> BenchResult:
    common: dict[str, Any] = {"id": step.id, "device": step.device, "seconds": step.seconds}
    if step.status == "fail":
        return BenchResult(**common, error=step.detail, evidence=step.evidence)
    known = {field.name for field in fields(BenchResult)}
    figures: dict[str, Any] = {name: value for name, value in step.figures.items() if name in known}
    if figures.get("note"):
        figures["note"] = translatable(figures["note"], step.note_parts)
    if "rounds_s" in figures:
        figures["rounds_s"] = tuple(figures["rounds_s"])
    return BenchResult(**(common | figures))
