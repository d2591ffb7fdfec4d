"""One package, imported in a process of its own: the results of the import and of what it proves afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.probe.packages.importing import IMPORT_SECONDS
from torchdoctor.verify.probe_process import ProbeProcess
from torchdoctor.verify.process_end import ProcessEnd
from torchdoctor.verify.step_result import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torchdoctor.verify.packages.model import PackageTask

__all__ = ["ImportContext", "ImportRun"]

# From the start of the interpreter until its first event, and between two steps.
_PATIENCE_SECONDS = 60.0
_IMPORT = ("import", "cpu")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportContext:
    """What all packages of one run have in common. `on_process` is told of each process that is started."""

    python: Path
    environ: Mapping[str, str]
    scale: float
    on_process: Callable[[ProbeProcess], object]


class ImportRun:
    """The import of one package, in as many processes as its steps take.

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
        """Run every step. Returns this run."""
        self._folder.mkdir(exist_ok=True)
        request = {
            "suite": "package",
            "modules": list(self._task.package.modules),
            "scale": self._context.scale,
        }
        process = ProbeProcess(self._context.python, request, self._folder, self._context.environ)
        self._context.on_process(process)
        try:
            self._follow(process)
        finally:
            process.stop()
        return self

    def _follow(self, process: ProbeProcess) -> None:
        """Take note of every result until the end of the process; what has not ended then is a failure."""
        limit, started = _PATIENCE_SECONDS * max(self._context.scale, 1.0), time.monotonic()
        current: tuple[str, str] | None = None
        while True:
            event, end = self._next(process, limit)
            if event is None:
                self._lost(process, end, current or _IMPORT, time.monotonic() - started)
                return
            if event["event"] == "start":
                current, started = (str(event["id"]), str(event["device"])), time.monotonic()
                limit = IMPORT_SECONDS * self._context.scale
            elif event["event"] == "result":
                current, limit = None, _PATIENCE_SECONDS * max(self._context.scale, 1.0)
                self.results.append(StepResult.from_event(event))
            elif event["event"] == "end":
                return

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

    def _lost(self, process: ProbeProcess, end: ProcessEnd, step: tuple[str, str], seconds: float) -> None:
        if any((result.id, result.device) == step for result in self.results):
            return
        modules = ", ".join(self._task.package.modules)
        self.results.append(
            StepResult(
                id=step[0],
                device=step[1],
                status="fail",
                detail=message("import {module}: the process {how}", module=modules, how=end.text),
                code=end.code,
                seconds=round(seconds, 3),
                evidence=process.stderr,
            )
        )
