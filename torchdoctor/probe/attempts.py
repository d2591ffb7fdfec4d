"""Runs steps one by one and reports each: its start, so that a crash or a hang can be blamed on it, and its result."""

from __future__ import annotations

import faulthandler
import time
from typing import TYPE_CHECKING, Callable

from . import devices
from .message import parts_of, sentence
from .step import Outcome, Step, broken, skipped

if TYPE_CHECKING:
    from .events import Channel

__all__ = ["Attempts"]

# Torch has not implemented every operator for these; on CUDA a missing one means a library of another build.
_INCOMPLETE_DEVICES = ("mps", "xpu")
# Shortly before the parent ends a step at its limit, the probe writes where it hangs.
_DUMP_AT_SHARE = 0.9


class Attempts:
    """Sends the events of steps; `scale` multiplies their limits."""

    def __init__(self, channel: Channel, scale: float) -> None:
        self._channel = channel
        self._scale = scale

    def announce(self, step: Step, device: str) -> None:
        """Report that a step starts."""
        self._channel.send("start", id=step.id, device=device)
        # It needs neither the GIL nor an answering interpreter.
        faulthandler.dump_traceback_later(step.limit * self._scale * _DUMP_AT_SHARE, file=2)

    def attempt(self, step: Step, device: str, call: Callable[[], Outcome]) -> Outcome:
        """Run a step and report its outcome, whatever it raises."""
        self.announce(step, device)
        start = time.perf_counter()
        try:
            outcome = call()
        except BaseException as error:  # noqa: BLE001  # SystemExit too is a result
            outcome = _raised(error, device)
        seconds = time.perf_counter() - start
        faulthandler.cancel_dump_traceback_later()
        self.report(step, device, outcome, seconds)
        return outcome

    def report(self, step: Step, device: str, outcome: Outcome, seconds: float) -> None:
        """Report the outcome of a step."""
        self._channel.send(
            "result",
            id=step.id,
            device=device,
            status=outcome.status,
            code=outcome.code,
            seconds=round(seconds, 6),
            detail=outcome.detail,
            parts=parts_of(outcome.detail),
            note_parts=parts_of(outcome.figures.get("note") or ""),
            evidence=list(outcome.evidence),
            figures=outcome.figures,
        )


def _raised(error: BaseException, device: str) -> Outcome:
    """The outcome of a step that raised."""
    outcome = broken(error)
    if isinstance(error, NotImplementedError) and devices.kind(device) in _INCOMPLETE_DEVICES:
        text = sentence("not available for {device}: {detail}", device=device, detail=outcome.detail)
        return skipped("not-implemented", text[:200])
    return outcome
