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

__all__ = ["laggards", "measure", "next_origin"]


def next_origin(state: TransferState) -> Origin | None:
    """Return where one more connection goes; None when no more are wanted, or there is nothing for it to do."""
    ranged = any(origin.ranges and origin.refused is None for origin in state.origins)
    if len(state.connections) >= (state.ramp.wanted if ranged else 1):
        return None
    busy = state.segments.waiting_bytes or assignment.slowest_connection(state)
    return best_origin(state.origins) if busy or not state.connections else None


def measure(state: TransferState) -> None:
    """Tell the ramp the rate of the window that ends now, if it is long enough to mean something."""
    now, (since, before, pauses) = state.clock(), state.window
    meters = [connection.meter for connection in state.connections]
    flowing = all(meter is not None and meter.rate for meter in meters)
    # After a pause of this process all comes at once that the line brought meanwhile: that is no rate.
    if not meters or (not flowing and state.arrived == before) or state.clock.pauses != pauses:
        state.begin_window()
    elif now - since >= ConnectionRamp.WINDOW:
        rate, wanted = (state.arrived - before) / (now - since), state.ramp.wanted
        state.ramp.look(rate, state.size - state.segments.done_bytes, len(state.connections))
        # New connections need a moment to begin.
        state.begin_window(after=ConnectionRamp.WINDOW / 2 if state.ramp.wanted != wanted else 0.0)


def laggards(state: TransferState) -> list[Connection]:
    """Return the connections that are so slow that others are to do their work."""
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
        if not connection.abandoned and is_lagging(meter.rate, groups, meter.seconds):
            found.append(connection)
    return found
