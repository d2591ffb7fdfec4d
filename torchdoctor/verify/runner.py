"""Runs a suite of the probe to its end: after a step that crashed or hung, a new process runs the rest."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.probe import suite
from torchdoctor.verify.memory import memory_limit
from torchdoctor.verify.memory_kills import MemoryKills
from torchdoctor.verify.probe_process import ProbeProcess
from torchdoctor.verify.process_end import ProcessEnd
from torchdoctor.verify.step_result import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["SuiteRunner"]

# From the start of the interpreter until its first event: a cold network disk takes seconds.
_FIRST_EVENT_SECONDS = 60.0
# Between two steps and after the last one there is nothing to do.
_BETWEEN_STEPS_SECONDS = 60.0
# How many lines of standard error an error message quotes.
_QUOTED_LINES = 3


class SuiteRunner:
    """One run of a suite, in as many processes as it takes.

    `on_result` is called once for each step and device, `on_start` with the id of each step before it runs.
    `environment` holds what the probe has reported of the environment so far, `import_mib` the memory of a process
    that has imported torch (None where it was not measured), `has_torch` whether it could be imported.
    """

    def __init__(
        self,
        name: str,
        selected: Sequence[str],
        *,
        devices: Sequence[str] | None,
        time_limit_scale: float,
        on_result: Callable[[StepResult], None],
        on_start: Callable[[str], None] | None = None,
        memory_limit_mib: int | None = None,
        request: Mapping[str, Any] | None = None,
    ) -> None:
        self.environment: dict[str, Any] = {}
        self.import_mib: int | None = None
        self.has_torch = False
        self._selected = list(selected)
        self._scale = time_limit_scale
        self._request = {
            "suite": name,
            "selected": self._selected,
            "devices": devices,
            "scale": time_limit_scale,
            **(request or {}),
        }
        self._limits = {step.id: step.limit for step in (suite.IMPORT, suite.DEVICES, *suite.SUITES[name])}
        self._memory_limit_mib = memory_limit() if memory_limit_mib is None else memory_limit_mib
        self._on_result, self._on_start = on_result, on_start
        self._kills = MemoryKills()
        self._finished: dict[tuple[str, str], str] = {}
        self._planned = [(step, "cpu") for step in self._selected]
        self._current: tuple[str, str] | None = None
        self._answered = False
        self._step_started = 0.0

    def run(self, python: Path, environ: Mapping[str, str]) -> None:
        """Start processes until one gets to the end. Each that does not has finished one step more, so this ends.

        Raises `EnvironmentUnusable` when the interpreter does not run, or no temporary folder can be made.
        """
        try:
            temporary = tempfile.TemporaryDirectory(prefix="torchdoctor-", ignore_cleanup_errors=True)
        except OSError as error:
            raise EnvironmentUnusable(
                message("no temporary folder can be made: {why}", why=error.strerror or error),
                fix=message("set TMPDIR to a folder that can be written to"),
                code="no-temporary-folder",
            ) from error
        with temporary as folder:
            while not self._run_process(python, Path(folder), environ):
                pass

    def _run_process(self, python: Path, folder: Path, environ: Mapping[str, str]) -> bool:
        """Run one process. Returns whether the suite is complete."""
        finished = [[step, device, status] for (step, device), status in self._finished.items()]
        self._current, self._answered = None, False
        process = ProbeProcess(python, {**self._request, "finished": finished}, folder, environ)
        try:
            end = self._follow(process)
        finally:
            process.stop()
        return end is None or (end is not _RESTART and self._process_lost(process, python, end))

    def _follow(self, process: ProbeProcess) -> ProcessEnd | None:
        """Handle events until the end of the suite (None), a request for a new process, or the end of the process."""
        # A scale below 1 shortens the steps only, which is what tests use it for.
        patience = max(self._scale, 1.0)
        limit = _FIRST_EVENT_SECONDS * patience
        while True:
            try:
                event = process.next_event(limit, self._memory_limit_mib)
            except MemoryError as error:
                return ProcessEnd(code="memory-limit", text=str(error))
            except TimeoutError:
                text = message("took longer than {limit:g} s and was stopped", limit=limit)
                return ProcessEnd(code="time-limit", text=text)
            if event is None:
                return process.ended
            if event["event"] == "end":
                return None
            if event["event"] == "again":
                return _RESTART
            if event["event"] == "result" and event["id"] == suite.IMPORT.id:
                self.import_mib = process.memory_mib
                self.has_torch = event["status"] != "fail"
            step = self._handle(event)
            limit = _BETWEEN_STEPS_SECONDS * patience if step is None else self._limits[step] * self._scale

    def _handle(self, event: Mapping[str, Any]) -> str | None:
        """Take note of an event. Returns the step that now runs, if one does."""
        match event["event"]:
            case "hello" | "environment":
                self._answered = True
                self.environment.update(event["values"])
            case "plan":
                self._planned = [(step, device) for step, device in event["steps"]]
            case "start":
                self._current, self._step_started = (event["id"], event["device"]), time.monotonic()
                if self._on_start is not None:
                    self._on_start(event["id"])
            case "result":
                self._current = None
                self._record(StepResult.from_event(event))
        # A step may send more events before its result: its own limit still applies then.
        return self._current[0] if self._current else None

    def _process_lost(self, process: ProbeProcess, python: Path, end: ProcessEnd) -> bool:
        """Record what failed when the process went before its end. Returns whether nothing is left to run."""
        if not self._answered and not self._finished:
            raise _not_python(python, process, end)
        if self._current is None or self._current in self._finished:
            # No step is to blame, so another process would end the same way.
            for step, device in self._planned:
                detail = message("not run, because the process {how} before it", how=end.text)
                self._fail(step, device, detail, process, end)
            return True
        step, device = self._current
        self._fail(step, device, message("the process {how}", how=end.text), process, end)
        if step != suite.IMPORT.id:
            return False
        for left in self._selected:
            self._record(
                StepResult(id=left, device="cpu", status="skip", detail=suite.NO_TORCH, code="no-torch")
            )
        return True

    def _fail(self, step: str, device: str, detail: str, process: ProbeProcess, end: ProcessEnd) -> None:
        limit = self._kills.limit_behind(end)
        seconds = round(time.monotonic() - self._step_started, 3) if (step, device) == self._current else 0.0
        self._record(
            StepResult(
                id=step,
                device=device,
                status="fail",
                detail=joined((detail, *limit), "; "),
                code=end.code,
                seconds=seconds,
                evidence=(*process.stderr, *limit),
            )
        )

    def _record(self, result: StepResult) -> None:
        key = (result.id, result.device)
        if key not in self._finished:
            self._finished[key] = result.status
            self._on_result(result)


# The step that just failed has left the process unusable, so the probe asks for a new one.
_RESTART = ProcessEnd(code="restart", text="")


def _not_python(python: Path, process: ProbeProcess, end: ProcessEnd) -> EnvironmentUnusable:
    last_lines = process.stderr[-_QUOTED_LINES:]
    return EnvironmentUnusable(
        message(
            "{python} does not work as a Python interpreter, it {how}{said}",
            python=python,
            how=end.text,
            said=": " + "; ".join(last_lines) if last_lines else "",
        ),
        fix=message("name another environment, or make one with: torchdoctor install"),
        code="no-python",
    )
