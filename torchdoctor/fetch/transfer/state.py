"""What the connections of one transfer share."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from torchdoctor.fetch.transfer.active_clock import ActiveClock
from torchdoctor.fetch.transfer.throughput import ConnectionRamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.fetch.transfer.connection import Connection
    from torchdoctor.fetch.transfer.interfaces import TransferObserver
    from torchdoctor.fetch.transfer.origin import Origin
    from torchdoctor.fetch.transfer.partial_file import PartialFile
    from torchdoctor.fetch.transfer.segments import SegmentMap

__all__ = ["TransferState"]


class Window(NamedTuple):
    """Where the measurement of the rate began: the time, and the bytes that had arrived."""

    since: float
    arrived: int


@dataclass(slots=True, kw_only=True)
class TransferState:
    """The state of one transfer. Everything below `lock` is read and written while it is held."""

    part: PartialFile
    origins: Sequence[Origin]
    observer: TransferObserver
    stopped: threading.Event  # set from outside: another file failed or the user stopped the fetch
    exact: bool  # the size is known from the lock, not from a server
    size_source: Origin | None = None  # who says the size, where it is not exact; None: the run before
    lock: threading.Condition = field(default_factory=threading.Condition)
    segments: SegmentMap
    clock: ActiveClock = field(default_factory=ActiveClock)
    connections: list[Connection] = field(default_factory=list)
    ramp: ConnectionRamp = field(default_factory=ConnectionRamp)
    arrived: int = 0  # bytes
    lost: float = 0.0  # bytes that were on their way to connections of which part was taken over, about
    window: Window = field(init=False)  # `begin_window` sets it
    error: BaseException | None = None
    ended: bool = False
    source_of: dict[int, Origin] = field(default_factory=dict)  # where each segment came from
    past_rates: deque[float] = field(
        default_factory=lambda: deque(maxlen=8)
    )  # bytes a second, last responses
    reported: set[str] = field(default_factory=set)  # reasons of failures

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.part.size

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for the file any more."""
        return self.ended or self.stopped.is_set()

    def begin_window(self, after: float = 0.0) -> None:
        """Measure the rate from now on, or from some seconds later."""
        self.window = Window(self.clock() + after, self.arrived)

    def read_map_again(self) -> None:
        """Make a map of what is on the disk, after a connection that fetched the whole file."""
        done = self.segments.done
        self.segments = self.part.map(index for index, is_done in enumerate(done) if is_done)
