"""How many connections there are, and which are given up. The caller holds the lock of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.fetch.transfer import assignment
from torchdoctor.fetch.transfer.origin import best_origin
from torchdoctor.fetch.transfer.throughput import ConnectionRamp, is_lagging

if TYPE_CHECKING:
    from torchdoctor.fetch.transfer.connection import Connection
    from torchdoctor.fetch.transfer.origin import Origin
    from torchdoctor.fetch.transfer.state import TransferState

__all__ = ["bytes_arrived", "give_up_laggards", "measure", "next_origin", "response_ended"]


def next_origin(state: TransferState) -> Origin | None:
    """Return where one more connection goes; None when no more are wanted, or there is nothing for it to do."""
    ranged = any(origin.ranges and origin.refused is None for origin in state.origins)
    if len(state.connections) >= (state.ramp.wanted if ranged else 1):
        return None
    busy = state.segments.waiting_bytes or assignment.slowest_connection(state)
    return best_origin(state.origins) if busy or not state.connections else None


def measure(state: TransferState) -> None:
    """Tell the ramp the rate of the window that ends now, if it is long enough to mean something."""
    now, (since, before) = state.clock(), state.window
    meters = [connection.meter for connection in state.connections]
    flowing = all(meter is not None and meter.rate for meter in meters)
    # After a pause of this process all comes at once that the line brought meanwhile: that is no rate.
    paused = now - state.clock.last_pause < ConnectionRamp.WINDOW
    if not meters or paused or (not flowing and state.arrived == before):
        state.begin_window()
    elif now - since >= ConnectionRamp.WINDOW:
        rate, wanted = (state.arrived - before) / (now - since), state.ramp.wanted
        state.ramp.look(rate, state.size - state.segments.done_bytes, len(state.connections))
        # New connections need a moment to begin.
        state.begin_window(after=ConnectionRamp.WINDOW / 2 if state.ramp.wanted != wanted else 0.0)


def bytes_arrived(state: TransferState, connection: Connection, count: int) -> None:
    """Take in that `count` bytes have arrived over a connection."""
    state.arrived += count
    connection.origin.heard = state.clock()
    meter = connection.meter
    if meter is not None and meter.telling:
        connection.rate = connection.origin.rate = meter.rate


def response_ended(state: TransferState, connection: Connection) -> None:
    """Take in that a response was read to its end."""
    meter = connection.meter
    if meter is not None and meter.telling:
        state.past_rates.append(meter.rate)


def give_up_laggards(state: TransferState) -> list[Connection]:
    """Return the connections that are to end, because they are so slow that others are to do their work."""
    busy = [(connection, connection.meter) for connection in state.connections if connection.meter]
    found = []
    for connection, meter in busy:
        others = [other_meter.rate for other, other_meter in busy if other is not connection]
        # Where most connections go to one slow server, the slow ones are the majority.
        elsewhere = [
            other_meter.rate
            for other, other_meter in busy
            if other.origin is not connection.origin and other_meter.seconds > ConnectionRamp.WINDOW
        ]
        groups = (others or state.past_rates, elsewhere)
        if connection.abandoned or not is_lagging(meter.rate, groups, meter.seconds):
            continue
        if connection.is_starved:
            found.append(connection)
            connection.origin.rate = max(meter.rate, 1.0)  # 0 would be that of an origin not tried yet
            if not others:
                # One that follows alone is not held to them again: a server that is silent would never fail.
                state.past_rates.clear()
    return found
