"""Which connection fetches which bytes. The caller holds the lock of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.fetch.transfer.segments import Span
from torchdoctor.fetch.transfer.throughput import bytes_to_request

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.connection import Connection
    from torchdoctor.fetch.transfer.state import TransferState

__all__ = ["next_span", "return_span", "slowest_connection"]

# Taking over part of a span loses what is on its way when its response is closed: about so many seconds of its rate,
# and of a file no more than this share. So it is for connections that are slow, and has to gain something.
_ON_THE_WAY_SECONDS, _LOST_SHARE = 1.0, 0.01
_MIN_STEAL_SECONDS = 2.0
_YOUNG_SECONDS = 1.0  # what arrives sooner says little of a connection


def next_span(state: TransferState, connection: Connection) -> Span | None:
    """Return what the connection fetches next; None when it is to end."""
    if state.is_over or connection.abandoned or state.error is not None or connection.origin.refused:
        return None
    if _is_surplus(state, connection):
        return None
    if not connection.origin.ranges:
        if len(state.connections) > 1 or state.segments.complete:
            return None
        state.read_map_again()
        return Span(0, state.size, whole=True)
    return state.segments.take(_request_bytes(state, connection)) or _steal(state, connection)


def _is_surplus(state: TransferState, connection: Connection) -> bool:
    """Return whether this is the one to end of too many; never the one to a fast place while slow ones go on."""
    if len(state.connections) <= state.ramp.wanted or connection is state.connections[0]:
        return False
    return all(other.origin.rate >= connection.origin.rate / 2 for other in state.connections)


def return_span(state: TransferState, span: Span) -> None:
    """Let others fetch the rest of a span."""
    if span.whole:
        state.read_map_again()
    else:
        state.segments.give_back(span)


def slowest_connection(state: TransferState, besides: Connection | None = None) -> Connection | None:
    """Return the connection that will be busy longest, if it gains time and loses little to take over part of its span.

    One that does not wait for its line is left alone: this process is slow then, and another connection no faster.
    """
    affordable = (state.size * _LOST_SHARE - state.lost) / _ON_THE_WAY_SECONDS
    seconds_left = {
        connection: connection.span.left / rate
        for connection in state.connections
        if connection is not besides
        and connection.span is not None
        and connection.origin.ranges
        and 0 < (rate := _expected_rate(connection)) <= affordable
    }
    for connection in sorted(seconds_left, key=lambda row: seconds_left[row], reverse=True):
        if seconds_left[connection] <= _MIN_STEAL_SECONDS:
            break
        if connection.is_starved:
            return connection
    return None


def _expected_rate(connection: Connection) -> float:
    """Return the bytes a second that a connection is good for; 0 where that is not known yet."""
    if connection.meter is None:
        return 0.0
    if connection.meter.seconds < _YOUNG_SECONDS:
        return max(connection.meter.rate, connection.rate, connection.origin.rate)
    return max(connection.meter.rate, 1.0)


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
    if other is None or other.span is None:
        return None
    own_rate, other_rate = max(connection.rate, connection.origin.rate, 1.0), _expected_rate(other)
    span = state.segments.split(other.span, other_rate / (other_rate + own_rate))
    if span is not None:
        state.lost += other_rate * _ON_THE_WAY_SECONDS
    return span
