"""One run of the probe: torch is imported, the devices are found, then each step that has not finished yet runs.

A step that raises is a result here. One that takes the process with it is a result in the parent, which starts
us again with that step among the finished.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import sys
from functools import partial
from itertools import groupby
from typing import Any, Iterator

from . import devices, facts, suite
from .attempts import Attempts
from .events import Channel
from .message import joined, sentence
from .step import Outcome, Step, failed, skipped
from .torch_errors import says

__all__ = ["main", "plan"]


def main(text: str) -> None:
    """Run the request, a JSON object: suite, mark, and what the suite needs (selected, devices, finished, scale)."""
    request = json.loads(text)
    if request["suite"] == "distributed":
        from .distributed import worker

        worker.run(request, Channel(request["mark"]))
        return
    if request["suite"] == "packages":
        from .packages import listing

        listing.run(request, Channel(request["mark"]))
        return
    if request["suite"] == "verify":
        # cuBLAS promises equal results only with a workspace of its own, asked for before its first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # When memory runs out, the system ends this process, not the user's other programs.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1000")
    if request["suite"] == "package":
        from .packages import importing

        importing.run(request, Channel(request["mark"]))
        return
    session = _Session(request, Channel(request["mark"]))
    session.run()


def plan(steps: list[Step], there: list[str]) -> Iterator[tuple[Step, str]]:
    """Yield every step with its device, in order; neighbours that run on each device share one pass over the devices.

    `there` are the devices to use, the CPU first.
    """
    for where, group in groupby(steps, key=lambda step: step.where):
        neighbours = list(group)
        on = {"once": ["cpu"], "best": [devices.best(there)] if there else [], "each": there}[where]
        for device in on:
            for step in neighbours:
                yield step, device


class _Session:
    def __init__(self, request: dict[str, Any], channel: Channel) -> None:
        self._channel = channel
        self._request = request
        self._attempts = Attempts(channel, float(request["scale"]))
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
                self._attempts.attempt(step, "cpu", partial(step.run, None, "cpu"))
        imported = self._attempts.attempt(suite.IMPORT, "cpu", lambda: suite.IMPORT.run(None, "cpu"))
        if imported.status == "fail":
            self._skip(self._steps, "cpu", skipped("no-torch", suite.NO_TORCH))
        else:
            torch = sys.modules["torch"]
            # A torch too odd to say these is for `version` to report.
            with contextlib.suppress(Exception):
                self._channel.send("environment", values=facts.of_torch(torch))
            self._run_steps(torch, *self._devices(torch))
        self._channel.send("end")

    def _run_steps(self, torch: Any, there: list[str], missing: list[str]) -> None:
        preamble = (*suite.BEFORE, suite.IMPORT, suite.DEVICES)
        planned = [(step, device) for step, device in plan(self._steps, there) if step not in preamble]
        self._channel.send("plan", steps=[[step.id, device] for step, device in planned])
        left = [(step, device) for step, device in planned if (step.id, device) not in self._finished]
        if self._suite is suite.BENCH:
            self._measure(torch, left)
        else:
            for step, device in left:
                self._verify(torch, step, device)
        elsewhere = [step for step in self._steps if step.where != "once"]
        for name in missing:
            text = sentence("not run, because there is no {name}", name=name)
            self._skip(elsewhere, name, skipped("no-device", text))

    def _verify(self, torch: Any, step: Step, device: str) -> None:
        if device in self._dead:
            text = sentence("not run, because nothing runs on {device}", device=device)
            self._attempts.report(step, device, skipped("device-dead", text), 0.0)
            return
        outcome = self._attempts.attempt(step, device, partial(step.run, torch, device))
        if outcome.status == "fail" and outcome.evidence and devices.kind(device) != "cpu":
            self._after_failure(step, device, outcome)

    def _after_failure(self, step: Step, device: str, outcome: Outcome) -> None:
        """An accelerator on which the first work raises is dead; one error of the driver spoils the process."""
        if step.id == suite.BASE.id:
            self._dead.add(device)
        elif says(outcome.detail, "device-unusable"):
            # After such an error every later call raises it again. A new process runs the next step.
            self._channel.send("again")
            os._exit(0)

    def _measure(self, torch: Any, cases: list[tuple[Step, str]]) -> None:
        from .bench.run import measure

        limits = measure(
            torch,
            cases,
            quick=bool(self._request.get("quick")),
            announce=self._attempts.announce,
            report=self._report_case,
        )
        faulthandler.cancel_dump_traceback_later()
        self._channel.send("environment", values={"cpu_limits": limits or None})

    def _report_case(self, step: Step, device: str, outcome: Outcome, seconds: float) -> None:
        self._attempts.report(step, device, outcome, seconds)
        if outcome.status == "fail" and devices.kind(device) != "cpu":
            self._after_failure(step, device, outcome)

    def _devices(self, torch: Any) -> tuple[list[str], list[str]]:
        """The devices to use, and those asked for that are not there."""
        if self._finished.get(("devices", "cpu")) == "fail":
            # Looking for accelerators took the process down before: the CPU can still be verified.
            return devices.chosen(self._asked, ["cpu"])
        found: list[str] = ["cpu"]

        def look() -> Outcome:
            found[:] = devices.present(torch)
            self._channel.send("environment", values=facts.of_devices(torch, found))
            outcome = suite.DEVICES.run(torch, "cpu")
            _, missing = devices.chosen(self._asked, found)
            if missing:
                text = sentence(
                    "{missing} requested; available: {found}", missing=joined(missing), found=joined(found)
                )
                return failed("no-device", text)
            return outcome

        self._attempts.attempt(suite.DEVICES, "cpu", look)
        return devices.chosen(self._asked, found)

    def _skip(self, steps: list[Step], device: str, outcome: Outcome) -> None:
        for step in steps:
            done = step in suite.BEFORE or step.id == suite.IMPORT.id
            if not done and (step.id, device) not in self._finished:
                self._attempts.report(step, device, outcome, 0.0)
