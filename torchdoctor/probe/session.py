"""One run: torch is imported, the devices are found, then each step not yet finished runs, guarded.

A step that raises is a result here. One that takes the process with it is a result in the parent, which starts
us again with that step among the finished.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import sys
import time
from functools import partial
from itertools import groupby
from typing import Any, Callable, Iterator

from . import devices, facts, suite
from .events import Channel
from .message import joined, parts_of, sentence
from .step import Outcome, Step, broken, skipped

__all__ = ["main", "plan"]

# Not every operator has been written for these; on CUDA one that is missing is a library of another build.
_YOUNG = ("mps", "xpu")
_SPOILT = re.compile(r"(CUDA|HIP|cuDNN|CUBLAS|XPU|Level.Zero).{0,20}error|device-side assert", re.IGNORECASE)


def main(text: str) -> None:
    """Run the request, a JSON object: suite, selected, devices, finished, scale and mark."""
    request = json.loads(text)
    if request["suite"] == "distributed":
        from .distributed import worker

        worker.run(request, Channel(request["mark"]))
        return
    if request["suite"] == "verify":
        # cuBLAS promises equal results only with a workspace of its own, asked for before its first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Where memory runs out the system ends us, not the user's other programs.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1000")
    session = _Session(request, Channel(request["mark"]))
    session.run()


def plan(steps: list[Step], there: list[str]) -> Iterator[tuple[Step, str]]:
    """Every step with its device, in order; neighbours that run on each device go through the devices together."""
    for where, group in groupby(steps, key=lambda step: step.where):
        rows = list(group)
        on = {"once": ["cpu"], "best": [devices.best(there)] if there else [], "each": there}[where]
        for device in on:
            for step in rows:
                yield step, device


class _Session:
    def __init__(self, request: dict[str, Any], channel: Channel) -> None:
        self._channel = channel
        self._request = request
        self._scale = float(request["scale"])
        self._asked: list[str] | None = request["devices"]
        self._finished = {(name, device): status for name, device, status in request["finished"]}
        self._suite = suite.SUITES[request["suite"]]
        self._steps = [step for step in self._suite if step.id in request["selected"]]
        self._dead = {
            device for (name, device), status in self._finished.items()
            if name == suite.BASE.id and status == "fail" and device != "cpu"
        }  # fmt: skip

    def run(self) -> None:
        self._channel.send("hello", values=facts.of_python())
        for step in suite.BEFORE:
            if step in self._steps and (step.id, "cpu") not in self._finished:
                self._attempt(step, "cpu", partial(step.run, None, "cpu"))
        imported = self._attempt(suite.IMPORT, "cpu", lambda: suite.IMPORT.run(None, "cpu"))
        if imported.status == "fail":
            self._skip(self._steps, "cpu", suite.NO_TORCH)
        else:
            torch = sys.modules["torch"]
            # A torch too odd to say these is for `version` to report.
            with contextlib.suppress(Exception):
                self._channel.send("environment", values=facts.of_torch(torch))
            self._go_through(torch, *self._devices(torch))
        self._channel.send("end")

    def _go_through(self, torch: Any, there: list[str], missing: list[str]) -> None:
        preamble = (*suite.BEFORE, suite.IMPORT, suite.DEVICES)
        rows = [(step, device) for step, device in plan(self._steps, there) if step not in preamble]
        self._channel.send("plan", steps=[[step.id, device] for step, device in rows])
        if self._suite is suite.BENCH:
            self._measure(torch, [row for row in rows if (row[0].id, row[1]) not in self._finished])
            rows = []
        for step, device in rows:
            if (step.id, device) in self._finished:
                continue
            if device in self._dead:
                self._report(
                    step,
                    device,
                    skipped(sentence("not run, because nothing runs on {device}", device=device)),
                    0.0,
                )
                continue
            outcome = self._attempt(step, device, partial(step.run, torch, device))
            if outcome.status == "fail" and outcome.evidence and devices.kind(device) != "cpu":
                self._after_failure(step, device, outcome)
        for name in missing:
            elsewhere = [step for step in self._steps if step.where != "once"]
            self._skip(elsewhere, name, sentence("not run, because {name} is not there", name=name))

    def _after_failure(self, step: Step, device: str, outcome: Outcome) -> None:
        """An accelerator on which the first work raises is dead; one error of the driver spoils the process."""
        if step.id == suite.BASE.id:
            self._dead.add(device)
        elif _SPOILT.search(outcome.detail):
            # After such an error every later call raises it again. A new process goes on with the next step.
            self._channel.send("again")
            os._exit(0)

    def _measure(self, torch: Any, rows: list[tuple[Step, str]]) -> None:
        from .bench.run import measure

        limits = measure(
            torch,
            rows,
            quick=bool(self._request.get("quick")),
            announce=self._announce,
            report=self._report_case,
        )
        faulthandler.cancel_dump_traceback_later()
        self._channel.send("environment", values={"cpu_limits": limits or None})

    def _report_case(self, step: Step, device: str, outcome: Outcome, seconds: float) -> None:
        self._report(step, device, outcome, seconds)
        if outcome.status == "fail" and devices.kind(device) != "cpu":
            self._after_failure(step, device, outcome)

    def _devices(self, torch: Any) -> tuple[list[str], list[str]]:
        """The devices to use, and those asked for that are not there."""
        if self._finished.get(("devices", "cpu")) == "fail":
            # Looking for accelerators took the process down before: the CPU can still be proven.
            return devices.chosen(self._asked, ["cpu"])
        found: list[str] = ["cpu"]

        def look() -> Outcome:
            found[:] = devices.present(torch)
            self._channel.send("environment", values=facts.of_devices(torch, found))
            outcome = suite.DEVICES.run(torch, "cpu")
            _, missing = devices.chosen(self._asked, found)
            if missing:
                return Outcome(
                    "fail",
                    sentence(
                        "{missing} asked for; there is {found}", missing=joined(missing), found=joined(found)
                    ),
                )
            return outcome

        self._attempt(suite.DEVICES, "cpu", look)
        return devices.chosen(self._asked, found)

    def _skip(self, steps: list[Step], device: str, why: str) -> None:
        for step in steps:
            done = step in suite.BEFORE or step.id == suite.IMPORT.id
            if not done and (step.id, device) not in self._finished:
                self._report(step, device, skipped(why), 0.0)

    def _announce(self, step: Step, device: str) -> None:
        self._channel.send("start", id=step.id, device=device)
        # A step that hangs is killed by the parent at its limit; shortly before, this leaves the place where
        # it hangs on standard error. It needs neither the GIL nor an answering interpreter.
        faulthandler.dump_traceback_later(step.limit * self._scale * 0.9, file=2)

    def _attempt(self, step: Step, device: str, call: Callable[[], Outcome]) -> Outcome:
        self._announce(step, device)
        start = time.perf_counter()
        try:
            outcome = call()
        except BaseException as error:  # noqa: BLE001  # SystemExit too is a result
            lacking = isinstance(error, NotImplementedError) and devices.kind(device) in _YOUNG
            outcome = (
                skipped(
                    sentence("not there for {device}: {detail}", device=device, detail=broken(error).detail)[
                        :200
                    ]
                )
                if lacking
                else broken(error)
            )
        seconds = time.perf_counter() - start
        faulthandler.cancel_dump_traceback_later()
        self._report(step, device, outcome, seconds)
        return outcome

    def _report(self, step: Step, device: str, outcome: Outcome, seconds: float) -> None:
        self._channel.send(
            "result",
            id=step.id,
            device=device,
            status=outcome.status,
            seconds=round(seconds, 6),
            detail=outcome.detail,
            parts=parts_of(outcome.detail),
            note_parts=parts_of(outcome.figures.get("note") or ""),
            evidence=list(outcome.evidence),
            figures=outcome.figures,
        )
