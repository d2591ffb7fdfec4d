"""Ends a rank that hangs, or whose launcher is gone: a driver may keep a process for ever."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..events import Channel

__all__ = ["Watchdog"]

_POLL_SECONDS = 0.2
# A stage may take twice the limit of the other ranks, so that a rank that hangs is found by those that do not.
_STAGE_LIMITS, _STAGE_EXTRA_SECONDS = 2, 10
# Before the first stage nothing is known of this rank.
_FIRST_LIMITS = 4


class Watchdog:
    """Watches this rank in a thread of its own. `limit` is the time that other ranks wait for it, in seconds."""

    def __init__(self, channel: Channel, rank: int, limit: float) -> None:
        self._channel, self._rank, self._limit = channel, rank, limit
        self._parent = os.getppid()
        self.current_stage = ""
        self._end = time.monotonic() + _FIRST_LIMITS * limit
        threading.Thread(target=self._watch, daemon=True).start()

    def start_stage(self, name: str) -> None:
        """Report that a stage begins, and give it its time."""
        self.current_stage = name
        self._end = time.monotonic() + _STAGE_LIMITS * self._limit + _STAGE_EXTRA_SECONDS
        self._channel.send("stage", rank=self._rank, stage=name)

    def _watch(self) -> None:
        while time.monotonic() < self._end and os.getppid() == self._parent:
            time.sleep(_POLL_SECONDS)
        if os.getppid() == self._parent:
            error = "hangs in " + self.current_stage
            self._channel.send(
                "trouble",
                rank=self._rank,
                stage=self.current_stage,
                missing=[],
                error=error,
                first=self._rank,
                first_error=error,
            )
        os._exit(1)
