"""Which connection fetches which bytes. The caller holds the lock of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.fetch.transfer.segments import Span
from torchdoctor.fetch.transfer.throughput import bytes_to_request

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.connection import Connection
    from torchdoctor.fetch.transfer.state import TransferState

__all__ = ["next_span", "return_span", "slowest_connection"]

# Taking over part of a span loses the bytes that are on their way to the other connection: those of so many seconds,
# which is longer than any line takes, and what the buffers of the system may hold where our own process is slow.
_ON_THE_WAY_SECONDS, _BUFFERED_BYTES = 1.0, 4 << 20
_MIN_STEAL_SECONDS = 2.0


def next_span(state: TransferState, connection: Connection) -> Span | None:
    """Return what the connection fetches next; None when it is to end."""
    if state.is_over or connection.abandoned or state.error is not None or connection.origin.refused:
        return None
    if len(state.connections) > state.ramp.wanted and connection is not state.connections[0]:
        return None
    if not connection.origin.ranges:
        if len(state.connections) > 1 or state.segments.complete:
            return None
        state.read_map_again()
        return Span(0, state.size, whole=True)
    return state.segments.take(_request_bytes(state, connection)) or _steal(state, connection)


def return_span(state: TransferState, span: Span) -> None:
    """Let others fetch the rest of a span."""
    if span.whole:
        state.read_map_again()
    else:
        state.segments.give_back(span)


def slowest_connection(state: TransferState, besides: Connection | None = None) -> Connection | None:
    """Return the connection that will be busy longest, if that is long enough to take over part of its span."""
    seconds_left = {
        connection: connection.span.left / max(connection.meter.rate, 1.0)
        for connection in state.connections
        if connection is not besides
        and connection.span is not None
        and connection.meter is not None
        and connection.origin.ranges
    }
    slowest = max(seconds_left, key=lambda connection: seconds_left[connection], default=None)
    return slowest if slowest is not None and seconds_left[slowest] > _MIN_STEAL_SECONDS else None


def _request_bytes(state: TransferState, connection: Connection) -> int:
    """Return how many bytes the connection requests at once."""
    response = connection.first_response
    if response is not None:
        return (response.end or state.size) - response.start
    return bytes_to_request(
        state.segments.waiting_bytes,
        connection.rate or connection.origin.rate,
        len(state.connections),
        alike=all(other.origin is connection.origin for other in state.connections),
    )


def _steal(state: TransferState, connection: Connection) -> Span | None:
    """Take the end of the span of the slowest other connection, in proportion to the rates of both."""
    other = slowest_connection(state, besides=connection)
    if other is None or other.span is None or other.meter is None:
        return None
    own_rate, other_rate = max(connection.rate, connection.origin.rate, 1.0), other.meter.rate
    on_the_way = int(min(other_rate * _ON_THE_WAY_SECONDS, _BUFFERED_BYTES))
    return state.segments.split(other.span, other_rate / (other_rate + own_rate), on_the_way)
