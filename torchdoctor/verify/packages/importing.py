"""One package, imported in a process of its own: the results of the import and of what it proves afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.probe.operations.registry import OPERATIONS
from torchdoctor.probe.packages.limits import IMPORT_SECONDS
from torchdoctor.verify.probe_process import ProbeProcess
from torchdoctor.verify.process_end import ProcessEnd
from torchdoctor.verify.step_result import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torchdoctor.verify.packages.model import PackageTask

__all__ = ["ImportContext", "ImportRun"]

# From the start of the interpreter until its first event, and between two steps.
_PATIENCE_SECONDS = 60.0
_IMPORT = ("import", "cpu")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportContext:
    """What all packages of one run have in common.

    `devices` limits the operations to some devices; they need torch. `on_process` is told of each process that is
    started.
    """

    python: Path
    environ: Mapping[str, str]
    scale: float
    devices: Sequence[str] | None
    has_torch: bool
    on_process: Callable[[ProbeProcess], object]


class ImportRun:
    """The import of one package and its operation, in as many processes as its steps take.

    `results` holds what is known so far. `over_memory` says whether a process was stopped because it took more than
    `memory_mib`.
    """

    def __init__(
        self, task: PackageTask, context: ImportContext, folder: Path, memory_mib: int | None
    ) -> None:
        self.results: list[StepResult] = []
        self.over_memory = False
        self._task, self._context, self._folder = task, context, folder
        self._memory_mib = memory_mib

    def run(self) -> ImportRun:
        """Run every step: after one that took the process with it, a new process runs the rest. Returns this run."""
        self._folder.mkdir(exist_ok=True)
        while not self._run_process():
            pass
        return self

    def _run_process(self) -> bool:
        """Run one process. Returns whether nothing is left to run."""
        request = {
            "suite": "package",
            "modules": list(self._task.package.modules),
            "operation": self._task.operation if self._context.has_torch else None,
            "devices": self._context.devices,
            "finished": [[result.id, result.device, result.status] for result in self.results],
            "scale": self._context.scale,
        }
        process = ProbeProcess(self._context.python, request, self._folder, self._context.environ)
        self._context.on_process(process)
        try:
            return self._follow(process)
        finally:
            process.stop()

    def _follow(self, process: ProbeProcess) -> bool:
        """Take note of every result until the end of the process. Returns whether nothing is left to run."""
        patience = _PATIENCE_SECONDS * max(self._context.scale, 1.0)
        # A package that is imported a second time, for its operation, announces nothing.
        limit, started, step = patience + IMPORT_SECONDS * self._context.scale, time.monotonic(), _IMPORT
        while True:
            event, end = self._next(process, limit)
            if event is None:
                return not self._lost(process, end, step, time.monotonic() - started)
            match event["event"]:
                case "start":
                    step, started = (str(event["id"]), str(event["device"])), time.monotonic()
                    limit = self._limit(step) * self._context.scale
                case "result":
                    limit = patience
                    self.results.append(StepResult.from_event(event))
                case "again":
                    return False
                case "end":
                    return True

    def _limit(self, step: tuple[str, str]) -> float:
        operation = OPERATIONS.get(self._task.operation or "")
        return operation.limit if operation is not None and step != _IMPORT else IMPORT_SECONDS

    def _next(self, process: ProbeProcess, limit: float) -> tuple[dict[str, Any] | None, ProcessEnd]:
        """The next event, or None and how the process ended or why it is stopped."""
        try:
            event = process.next_event(limit, self._memory_mib)
        except TimeoutError:
            text = message("took longer than {limit:g} s and was stopped", limit=limit)
            return None, ProcessEnd(code="time-limit", text=text)
        except MemoryError as error:
            self.over_memory = True
            return None, ProcessEnd(code="memory-limit", text=str(error))
        return event, process.ended if event is None else ProcessEnd(code="", text="")

    def _lost(self, process: ProbeProcess, end: ProcessEnd, step: tuple[str, str], seconds: float) -> bool:
        """Record that a step took the process with it. Returns whether other steps can still run."""
        if any((result.id, result.device) == step for result in self.results):
            return False
        what = (
            message("import {module}", module=", ".join(self._task.package.modules))
            if step == _IMPORT
            else message("the operation that proves it")
        )
        self.results.append(
            StepResult(
                id=step[0],
                device=step[1],
                status="fail",
                detail=message("{what}: the process {how}", what=what, how=end.text),
                code=end.code,
                seconds=round(seconds, 3),
                evidence=process.stderr,
            )
        )
        return step != _IMPORT
