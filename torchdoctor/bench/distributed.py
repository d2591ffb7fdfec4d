"""Environment -> DistributedReport: starts the ranks, or is one of them, and collects what they report."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.bench.distributed_report import DistributedReport, Trouble
from torchdoctor.bench.launchers import Launch, exit_codes, launched, own_launch
from torchdoctor.bench.model import BenchResult
from torchdoctor.core.i18n import message
from torchdoctor.verify.probe_process import ProbeProcess
from torchdoctor.verify.process_end import signal_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["run_ranks"]

# The first import on every rank at once, from a cold disk.
_START_SECONDS = 240.0
# Once a rank has reported a failure, torchrun only has the ends of the others to add.
_AFTER_TROUBLE_SECONDS = 8.0
# A rank that hangs reports it itself after twice the limit and some seconds.
_GRACE_SECONDS = 30.0


def run_ranks(
    python: Path,
    *,
    quick: bool = False,
    measure: bool = True,
    ranks: int | None = None,
    limit: float = 60.0,
    driver: str | None = None,
    on_stage: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> DistributedReport:
    """Run the ranks: those that torchrun or srun has started with us, else `ranks` of our own on this machine.

    Without `measure` they only meet, compare what they are, and verify a sum over all. `limit` is in seconds, for each
    stage; a rank that needs longer is named. `on_stage` is called with each stage as it begins.

    Returns what the ranks reported. Raises `EnvironmentUnusable` when there is no torch to run, and `UsageError` when
    the launcher's variables do not say which rank this is.
    """
    environ = os.environ if environ is None else environ
    launch = launched(environ) or own_launch(python, ranks, environ)
    request = {"suite": "distributed", "quick": quick, "measure": measure, "limit": limit, "driver": driver}
    with tempfile.TemporaryDirectory(prefix="torchdoctor-", ignore_cleanup_errors=True) as folder:
        process = ProbeProcess(python, request, Path(folder), {**environ, **launch.environ}, launch.command)
        collector = _RankCollector(launch, on_stage)
        try:
            collector.listen(process, limit)
        finally:
            process.stop()
            collector.kill_ranks()
    return collector.report(process.stderr)


class _RankCollector:
    """What the ranks have reported so far."""

    def __init__(self, launch: Launch, on_stage: Callable[[str], None] | None) -> None:
        self._launch, self._on_stage = launch, on_stage
        self._facts: dict[int, Mapping[str, Any]] = {}
        self._pids: dict[int, int] = {}
        self._stages: dict[int, str] = {}
        self._ended: set[int] = set()
        # The last failure that each rank has reported.
        self._failures: dict[int, Mapping[str, Any]] = {}
        self._results: list[BenchResult] = []
        self._links: list[tuple[int, int, float]] = []
        self._compute: tuple[float, ...] = ()
        self._backend: str | None = None
        self._device = "cpu"
        self._silence = ""

    def listen(self, process: ProbeProcess, limit: float) -> None:
        """Collect until the last rank is gone, or none reports anything for longer than any stage may take."""
        seconds = _START_SECONDS
        while True:
            try:
                event = process.next_event(seconds)
            except TimeoutError:
                if not self._failures:
                    self._silence = message("no rank reported anything for {patience:g} s", patience=seconds)
                return
            if event is None:
                return
            self._handle(event)
            longest_stage = max(_START_SECONDS, 2 * limit + _GRACE_SECONDS)
            seconds = _AFTER_TROUBLE_SECONDS if self._failures else longest_stage

    def _handle(self, event: Mapping[str, Any]) -> None:
        rank = event.get("rank", 0)
        match event["event"]:
            case "rank":
                self._facts[rank], self._pids[rank] = event["facts"], event["pid"]
            case "met":
                self._facts[rank] = event["facts"]
            case "stage":
                self._stages[rank] = event["stage"]
                if self._on_stage is not None:
                    self._on_stage(event["stage"])
            case "trouble":
                self._failures[rank] = event
            case "end":
                self._ended.add(rank)
            case _:
                self._handle_figures(event)

    def _handle_figures(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "group":
                self._backend, self._device = event["backend"], event["device"]
            case "collective":
                self._results.append(_result(event, self._launch.size, self._device))
            case "link":
                self._links.append((event["source"], event["goal"], event["busbw"]))
            case "compute":
                self._compute = tuple(event["gflops"])

    def kill_ranks(self) -> None:
        """End the ranks that did not get to the end: one that is stopped or hangs in a driver outlives torchrun."""
        for rank, pid in self._pids.items():
            if rank not in self._ended and self._launch.command and hasattr(signal, "SIGKILL"):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def report(self, stderr: tuple[str, ...]) -> DistributedReport:
        """Return the report; `stderr` are the last lines of the launcher's standard error."""
        blamed = self._blamed_ranks()
        codes = exit_codes(stderr)
        return DistributedReport(
            launcher=self._launch.name,
            size=self._launch.size,
            rank=self._launch.rank,
            backend=self._backend,
            ranks=self._facts,
            results=tuple(self._results),
            links=tuple(self._links),
            compute=self._compute,
            troubles=tuple(self._trouble(rank, codes.get(rank)) for rank in blamed),
            evidence=stderr if blamed else (),
        )

    def _blamed_ranks(self) -> list[int]:
        """The ranks that vanished without a word; when there are none, the one that failed first."""
        ours = range(self._launch.size) if self._launch.rank is None else (self._launch.rank,)
        lost = {rank for event in self._failures.values() for rank in event["missing"]}
        lost |= {rank for rank in ours if rank not in self._ended}
        lost -= self._ended | set(self._failures)
        return sorted(lost) or [event["first"] for event in self._failures.values()][:1]

    def _trouble(self, rank: int, code: int | None) -> Trouble:
        failures = list(self._failures.values())
        stage = self._stages.get(rank) or next((str(event["stage"]) for event in failures), "its start")
        own = next((str(event["first_error"]) for event in failures if event["first"] == rank), None)
        if own is not None:
            detail = own
        elif code is not None and code < 0:
            detail = message("was killed by {signal}", signal=signal_name(-code))
        elif code:
            detail = message("ended with status {code}", code=code)
        else:
            detail = self._silence or "does not answer: it hangs, is stopped or gone, or cannot be reached"
        return Trouble(rank=rank, stage=stage, detail=detail)


def _result(event: Mapping[str, Any], size: int, device: str) -> BenchResult:
    best = event["busbw"] * event["median_s"] / event["best_s"]
    return BenchResult(
        id=event["name"],
        device=device,
        seconds=round(event["median_s"] * event["repeats"], 6),
        dtype="float32",
        params={"bytes": event["bytes"], "ranks": size},
        value=float(f"{event['busbw']:.5g}"),
        unit="GB/s",
        best_value=float(f"{best:.5g}"),
        median_s=event["median_s"],
        best_s=event["best_s"],
        iqr_s=event["iqr_s"],
        repeats=event["repeats"],
        bytes=float(event["bytes"]),
        cpu_share=event["cpu_share"],
    )
