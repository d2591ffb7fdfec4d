"""Fetches one file over several connections: opens as many as help, measures them, and ends the slow ones."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.fetch.transfer import assignment, pace, recovery
from torchdoctor.fetch.transfer.connection import Connection
from torchdoctor.fetch.transfer.faults import Fault
from torchdoctor.fetch.transfer.incremental_hash import IncrementalHash
from torchdoctor.fetch.transfer.interfaces import TransferFailed, TransferStopped
from torchdoctor.fetch.transfer.origin import best_origin
from torchdoctor.fetch.transfer.state import TransferState

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from torchdoctor.fetch.transfer.active_clock import ActiveClock
    from torchdoctor.fetch.transfer.interfaces import ConnectionLimit, TransferObserver
    from torchdoctor.fetch.transfer.origin import Origin
    from torchdoctor.fetch.transfer.partial_file import PartialFile
    from torchdoctor.fetch.transfer.response import RangeResponse
    from torchdoctor.fetch.transfer.retry import RetryPolicy
    from torchdoctor.fetch.transfer.segments import SegmentMap, Span

__all__ = ["Transfer"]

_POLL_SECONDS = 0.05
_SHUTDOWN_SECONDS = 1.0
_SYNC_INTERVAL_SECONDS = 2.0


class Transfer:
    """Fetches what `part` lacks from `origins`; its connections see it as their `Scheduler`.

    `limit` is shared by all files of a fetch. `exact`: the size is known from the lock; else `size_source` says it, or
    what an earlier run left.
    """

    def __init__(
        self,
        part: PartialFile,
        origins: Sequence[Origin],
        *,
        limit: ConnectionLimit,
        stopped: threading.Event,
        observer: TransferObserver,
        exact: bool,
        size_source: Origin | None = None,
    ) -> None:
        self._state = TransferState(
            part=part,
            origins=origins,
            observer=observer,
            stopped=stopped,
            exact=exact,
            size_source=size_source,
            segments=part.map(),
        )
        self._limit = limit
        self._hash = IncrementalHash(part)

    # For the thread that waits for the file.

    @property
    def segments(self) -> SegmentMap:
        """Which segments are on the disk."""
        return self._state.segments

    def run(self, response: RangeResponse | None = None) -> None:
        """Fetch every missing segment; `response` is an open one of the first origin, and starts at byte 0.

        Raises `TransferFailed`, `FileChanged` or `TransferStopped`, and `OSError` when the disk fails. What has been
        written stays there.
        """
        state = self._state
        state.ended, state.error = False, None
        state.begin_window()
        synced = time.monotonic()
        try:
            while not state.segments.complete:
                self._check()
                self._open_connections(response)
                response = None
                with state.lock:
                    pace.measure(state)
                self._abandon_laggards()
                if time.monotonic() - synced > _SYNC_INTERVAL_SECONDS:
                    state.part.sync()
                    synced = time.monotonic()
                if not self._hash.ahead(state.segments.done):
                    with state.lock:
                        state.lock.wait(_POLL_SECONDS)
            self._check(error_only=True)
        finally:
            self._end()

    def digest(self) -> str:
        """Return the SHA-256 of the file, which is complete; raises `TransferStopped`."""
        while self._hash.ahead(self._state.segments.done):
            if self._state.stopped.is_set():
                raise TransferStopped
        return self._hash.hexdigest

    def fetch_again(self, indexes: Sequence[int]) -> None:
        """Fetch segments that turned out to be wrong; raises what `run` raises.

        When they all came from one origin and there is another one, that origin is not used any more.
        """
        state = self._state
        first, *more = [state.source_of.get(index) for index in indexes]
        others = any(origin.refused is None for origin in state.origins if origin is not first)
        if first is not None and others and all(origin is first for origin in more):
            first.refused = message("{host}: it sent wrong bytes", host=first.host)
        state.segments.forget(indexes)
        self._hash = IncrementalHash(state.part)
        self.run()

    def _check(self, *, error_only: bool = False) -> None:
        state = self._state
        with state.lock:
            if state.error is not None:
                raise state.error
            if error_only:
                return
            if state.stopped.is_set():
                raise TransferStopped
            if not state.connections and best_origin(state.origins) is None:
                raise TransferFailed(
                    "; ".join(dict.fromkeys(origin.refused or "" for origin in state.origins))
                )

    def _open_connections(self, response: RangeResponse | None) -> None:
        state = self._state
        with state.lock:
            while (origin := pace.next_origin(state)) is not None:
                # The caller of `run` holds the first connection in the limit.
                if state.connections and not self._limit.try_acquire():
                    return
                if response is not None:
                    origin = state.origins[0]
                connection = Connection(self, origin, response)
                origin.connections += 1
                state.connections.append(connection)
                connection.start()
                response = None

    def _abandon_laggards(self) -> None:
        with self._state.lock:
            for connection in pace.give_up_laggards(self._state):
                host = connection.origin.host
                connection.abandon(message("{host} is far slower than the others", host=host))

    def _end(self) -> None:
        with self._state.lock:
            self._state.ended = True
            connections = list(self._state.connections)
            for connection in connections:
                connection.abandon(message("it was stopped"))
        until = time.monotonic() + _SHUTDOWN_SECONDS
        for connection in connections:
            # One that is being opened cannot be woken; it ends by itself when it is open.
            connection.join(max(0.0, until - time.monotonic()))

    # For the connections: `Scheduler`.

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._state.size

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for the file any more."""
        return self._state.is_over

    @property
    def clock(self) -> ActiveClock:
        """Seconds that this process ran."""
        return self._state.clock

    def next_span(self, connection: Connection) -> Span | None:
        """Return what the connection fetches next; None when it is to end."""
        with self._state.lock:
            return assignment.next_span(self._state, connection)

    def return_span(self, span: Span) -> None:
        """Let others fetch the rest of a span."""
        with self._state.lock:
            assignment.return_span(self._state, span)

    def check_response(self, connection: Connection, response: RangeResponse) -> None:
        """Raise `Fault` when a response is not of the file that is being fetched."""
        with self._state.lock:
            recovery.check_response(self._state, connection, response)

    def has_segment(self, index: int) -> bool:
        """Say whether a segment is on the disk."""
        return bool(self._state.segments.done[index])

    def write_segment(self, connection: Connection, index: int, data: bytes | bytearray) -> None:
        """Write a segment to the disk; raises `Fault` when the transfer is over or the disk fails."""
        state = self._state
        with state.lock:
            if state.is_over or connection.abandoned:
                raise Fault("stopped", message("it was stopped"))
            try:
                state.part.write(index, data)
            except OSError as error:
                state.error = error
                raise Fault("stopped", message("the disk failed")) from error
            state.segments.mark(index)
            connection.origin.arrived += len(data)
            state.source_of[index] = connection.origin
            state.lock.notify_all()

    def bytes_arrived(self, connection: Connection, count: int) -> None:
        """`count` bytes have arrived over the connection."""
        with self._state.lock:
            pace.bytes_arrived(self._state, connection, count)

    def bytes_gained(self, count: int) -> None:
        """`count` bytes are new: they count as progress of the file."""
        self._state.observer.arrived(count)

    def response_ended(self, connection: Connection) -> None:
        """The response of a connection was read to its end."""
        with self._state.lock:
            pace.response_ended(self._state, connection)

    def should_retry(self, connection: Connection, fault: Fault, gained: int, policy: RetryPolicy) -> bool:
        """Say whether to try again after a fault, and wait before that; `gained` bytes came since the last one."""
        with self._state.lock:
            again = recovery.should_retry(self._state, connection, fault, gained, policy)
        return again and self._wait(policy.wait(fault.retry_after, random.random()))  # noqa: S311  (no secret)

    def _wait(self, seconds: float) -> bool:
        """Wait; return False when the transfer ended meanwhile."""
        until = time.monotonic() + seconds
        while not self.is_over and (left := until - time.monotonic()) > 0:
            self._state.stopped.wait(min(_POLL_SECONDS, left))
        return not self.is_over

    def connection_crashed(self, error: BaseException) -> None:
        """A connection failed because of a bug; the thread that waits for the file raises the error."""
        with self._state.lock:
            if self._state.error is None:
                self._state.error = error

    def connection_ended(self, connection: Connection) -> None:
        """A connection is at its end."""
        state = self._state
        with state.lock:
            # The caller of `run` holds the last one in the limit.
            is_last = len(state.connections) == 1
            state.connections.remove(connection)
            connection.origin.connections -= 1
            if not is_last:
                self._limit.release()
            state.lock.notify_all()
